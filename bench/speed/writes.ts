/**
 * How often the store is asked and has to write for one avatar, from its POST until it is `pending`: of Redis by MONITOR, of the
 * embedded store by the calls that flush a file, where `strace` is there.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Teardown } from '../../test/support/redis-process.js';
import { type Gateway, makeAvatar } from './gateway.js';

/** The mean of some avatars, made one at a time. */
export interface Writes {
  /** Commands sent to Redis; `null` of the embedded store, which is not asked over a wire. */
  readonly commands: number | null;
  /** Commands that changed something; of the embedded store, files flushed to the disk. */
  readonly durable: number;
}

/** What follows an answer is done by then. */
const AFTER_MS = 200;

export async function writesOf(t: Teardown, gateway: Gateway, avatars: number): Promise<Writes | null> {
  // What is done for the first one alone is not counted.
  await makeAvatar(gateway);
  await sleep(AFTER_MS);
  const make = async (): Promise<void> => {
    for (let n = 0; n < avatars; n++) await makeAvatar(gateway);
    await sleep(AFTER_MS);
  };
  const counted =
    gateway.redis === null
      ? await flushes(gateway.process.pid, make)
      : await commands(t, gateway.redis.url, make);
  if (counted === null) return null;
  return {
    commands: counted.commands === null ? null : counted.commands / avatars,
    durable: counted.durable / avatars,
  };
}

async function commands(t: Teardown, url: string, make: () => Promise<void>): Promise<Writes> {
  const client = new Redis(url);
  t.teardown(() => client.disconnect());
  const writing = (await client.call('COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'write')) as string[];
  const monitor = await client.monitor();
  t.teardown(() => monitor.disconnect());
  const lines: MonitorLine[] = [];
  monitor.on('monitor', (_time: string, [command = '']: string[], source: string) => {
    lines.push({ command, source });
  });
  await make();
  return countCommands(lines, new Set(writing));
}

export interface MonitorLine {
  readonly command: string;
  /** `lua` of what a script calls, which follows the script. */
  readonly source: string;
}

/** A script is one command, whatever it calls, and writes when one of its calls does. */
export function countCommands(lines: readonly MonitorLine[], writing: ReadonlySet<string>): Writes {
  let [commands, durable] = [0, 0];
  let wrote = false;
  for (const { command, source } of lines) {
    if (source !== 'lua') {
      commands++;
      wrote = false;
    }
    if (!wrote && writing.has(command.toLowerCase())) {
      durable++;
      wrote = true;
    }
  }
  return { commands, durable };
}

async function flushes(pid: number, make: () => Promise<void>): Promise<Writes | null> {
  if (spawnSync('strace', ['-V']).status !== 0) return null;
  const strace = spawn('strace', ['-f', '-e', 'trace=fsync,fdatasync', '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(strace, 'close');
  const lines: string[] = [];
  const attached = new Promise<boolean>((resolve) => {
    createInterface({ input: strace.stderr }).on('line', (line) => {
      if (/ attached/.test(line)) resolve(true);
      lines.push(line);
    });
  });
  // In some containers no process may trace another one.
  if (!(await Promise.race([attached, closed.then(() => false)]))) return null;
  try {
    await make();
  } finally {
    strace.kill('SIGINT');
    await closed;
  }
  return { commands: null, durable: lines.filter((line) => /f(?:data)?sync\(/.test(line)).length };
}
