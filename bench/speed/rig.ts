/** What is around the subjects: the gateway built, the cores shared out, an upstream and a load. */

import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Teardown } from '../../test/support/redis-process.js';
import type { ProbeSaid, ProbeTold } from '../probe-messages.js';
import { buildBench, type Running, type Scripts, start } from '../process.js';
import { shareCores } from './cores.js';
import { build, type Place } from './gateway.js';
import type { LoadSaid, LoadTold } from './messages.js';

export type Load = Running<LoadTold, LoadSaid>;

export interface World extends Place {
  readonly bench: Scripts['bench'];
  readonly load: Load;
  /** For the page: which core has what. */
  readonly cores: string;
}

/** @throws where there is no /proc */
export async function startWorld(t: Teardown): Promise<World> {
  if (process.platform !== 'linux')
    throw new Error('processor time and memory are read from /proc, which only Linux has');
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-bench-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  await build();
  const { prefix, words } = shareCores();
  const bench = await buildBench(dir);
  const load: Load = start(bench('speed/load'));
  t.teardown(load.kill);
  return { dir, prefix, upstreamUrl: await startUpstream(t, bench), bench, load, cores: words };
}

/** @param fate `finished`: every task has succeeded */
export async function startUpstream(t: Teardown, bench: Scripts['bench'], ...fate: 'finished'[]) {
  const upstream: Running<ProbeTold, ProbeSaid> = start(bench('upstream'), {
    args: fate,
    preload: bench('probe'),
  });
  t.teardown(upstream.kill);
  return (await upstream.hear('listening')).url;
}

/** Ends, last first, what was started, whatever comes of it. */
export async function withTeardown<T>(run: (t: Teardown) => Promise<T>): Promise<T> {
  const endings: (() => unknown)[] = [];
  try {
    return await run({ teardown: (end) => void endings.unshift(end) });
  } finally {
    for (const end of endings) await end();
  }
}
