/** What is measured has a core to itself; load, upstream, Redis and this process share another one. Linux only. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cores {
  /** In front of the command of what is measured. */
  readonly prefix: readonly string[];
  /** For the page. */
  readonly words: string;
}

/** Moves this process, and with it all that it starts, to the second core it may use. */
export function shareCores(): Cores {
  const [first, second] = allowedCores();
  const args = ['-a', '-c', '-p', String(second), String(process.pid)];
  if (second === undefined || spawnSync('taskset', args).status !== 0)
    return { prefix: [], words: 'all processes share the cores (no taskset, or one core)' };
  return {
    prefix: ['taskset', '-c', String(first)],
    words: 'what is measured on one core, load, upstream and Redis on another',
  };
}

function allowedCores(): number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
}
