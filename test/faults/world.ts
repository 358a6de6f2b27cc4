/** A gateway in this process on either store, beside a simulator, whose leases a test can end. */

import root, { type Test } from 'tap';
import { gatewayFor, settingsFor } from '../e2e/support.js';
import type { Simulator } from '../simulator/simulator.js';
import { type AppOverrides, type RunningApp, startApp } from '../support/app.js';
import type { Running } from '../support/processes.js';
import { redisUrl } from '../support/redis.js';
import { until } from '../support/until.js';
import type { StoreName } from './cases.js';
import { type Time, timeOf } from './time.js';

export interface World extends RunningApp, Time {
  /** Another gateway on the same store and simulator: the next start, or one more replica. */
  restart(): Promise<RunningApp>;
}

let shared: Promise<{ url: string; prefix: string }> | undefined;
let worlds = 0;

/** The Redis that the cases of a file share which do no harm to it; each with keys of its own. */
export async function sharedRedis(): Promise<{ url: string; prefix: string }> {
  shared ??= redisUrl(root);
  const { url, prefix } = await shared;
  worlds += 1;
  return { url, prefix: `${prefix}-${worlds}` };
}

export async function startWorld(t: Test, store: StoreName, overrides: AppOverrides = {}): Promise<World> {
  const redis = store === 'redis' ? (overrides.redis ?? (await sharedRedis())) : undefined;
  // Before anything takes hold of the clock.
  const time = timeOf(t, redis);
  const on = redis === undefined ? overrides : { ...overrides, redis };
  const app = await startApp(t, on);
  const { simulator: beside, config } = app;
  const next = redis === undefined ? { ...on, beside, dataDir: config.dataDir } : { ...on, beside };
  const restart = async () => {
    const app = await startApp(t, next);
    await isReady(app);
    return app;
  };
  await isReady(app);
  return { ...app, ...time, restart };
}

/** A gateway as a process, beside a simulator in this one, once it takes avatars; killed with the test. */
export async function startProcess(
  t: Test,
  simulator: Simulator,
  env: Record<string, string>,
  options?: { preload: string },
): Promise<Running & { simulator: Simulator }> {
  const gateway = await gatewayFor(t, { ...settingsFor(simulator), ...env }, options);
  await isReady(gateway);
  return { ...gateway, simulator };
}

export function isReady({ url }: { url: string }): Promise<true> {
  return until('it is ready', async () => (await fetch(`${url}/readyz`)).ok || null);
}

/** What was logged at `error` or above. */
export function errorsOf({ logLines }: RunningApp): Record<string, unknown>[] {
  return logLines()
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level }) => Number(level) >= 50);
}
