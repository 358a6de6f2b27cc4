/** A gateway in this process on either store, beside a simulator, whose leases a test can end. */

import root, { type Test } from 'tap';
import { clientOf } from '../store/fixtures-redis.js';
import { type AppOverrides, type RunningApp, startApp } from '../support/app.js';
import { redisUrl } from '../support/redis.js';
import type { StoreName } from './cases.js';

export interface World extends RunningApp {
  /** Has the lease of an avatar end now, as far as the store can tell; on the embedded store, every lease. */
  lapse(id: string): Promise<void>;
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
  const lapse = redis === undefined ? lapseAll(t) : lapseOne(t, redis);
  const on = redis === undefined ? overrides : { ...overrides, redis };
  const app = await startApp(t, on);
  const { simulator: beside, config } = app;
  const next = redis === undefined ? { ...on, beside, dataDir: config.dataDir } : { ...on, beside };
  return { ...app, lapse, restart: () => startApp(t, next) };
}

function lapseOne(t: Test, { url, prefix }: { url: string; prefix: string }): World['lapse'] {
  const client = clientOf(t, url);
  return async (id) => void (await client.zadd(`{${prefix}}:due`, 'XX', 0, id));
}

/** The clock of the embedded store is that of the process: it is put ahead, further than any lease. */
function lapseAll(t: Test): World['lapse'] {
  const { now } = Date;
  let aheadMs = 0;
  Object.assign(Date, { now: () => now() + aheadMs });
  t.teardown(() => Object.assign(Date, { now }));
  return async () => {
    aheadMs += 30_000;
  };
}

/** What was logged at `error` or above. */
export function errorsOf({ logLines }: RunningApp): Record<string, unknown>[] {
  return logLines()
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level }) => Number(level) >= 50);
}
