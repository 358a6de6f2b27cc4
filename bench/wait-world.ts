/** Gateways that hold those who wait, on a store that is full of queued avatars: what ends them is a cancel. */

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { awaited } from '../src/domain/callbacks/callback.js';
import { KeyPool } from '../src/modellix/keyring.js';
import { openSqliteStore } from '../src/store/sqlite/sqlite.js';
import type { Store } from '../src/store/store.js';
import { startRedis } from '../test/support/redis.js';
import type { Teardown } from '../test/support/redis-process.js';
import { connected, inParallel } from './fill.js';
import { type Running, type Scripts, start } from './process.js';
import { create, HOUR_MS, pendingAvatar, queuedAvatar, saved } from './scale-avatars.js';
import type { WaitSaid, WaitTold } from './wait-messages.js';

export type StoreName = 'redis' | 'embedded';

export interface Gateway {
  readonly url: string;
  readonly process: Running<WaitTold, WaitSaid>;
}

export interface World {
  /** Ids of queued avatars, in the order of their making. */
  readonly ids: readonly string[];
  /** Where they wait. */
  readonly holding: Gateway;
  /** Where changes are made: another replica where the store is Redis. */
  readonly changing: Gateway;
  /** What the store was asked so far, by the name of the command; `null` where it does not say. */
  readonly commands: () => Promise<ReadonlyMap<string, number>> | null;
}

export interface WorldOptions {
  readonly scripts: Scripts;
  readonly dir: string;
  readonly store: StoreName;
  readonly replicas: 1 | 2;
  /** One an avatar: whom to tell, if anybody. */
  readonly callbackUrls: readonly (string | null)[];
}

/** Whoever reaches the port. */
const CALLER = 'anonymous';
const KEY = 'bench-key';

export async function startWorld(t: Teardown, options: WorldOptions): Promise<World> {
  const { scripts, store: name, callbackUrls } = options;
  const dir = await mkdtemp(join(options.dir, 'world-'));
  const redis = name === 'redis' ? await startRedis(t, { appendonly: true, dir }) : null;
  const store = await (redis === null ? openSqliteStore({ dir }) : connected(redis.url));
  const ids = await fill(store, callbackUrls);
  await store.close();

  const gateway = async (dataDir: string): Promise<Gateway> => {
    const process = start<WaitTold, WaitSaid>(scripts.gateway, {
      preload: scripts.bench('probe'),
      env: { ...SETTINGS, DATA_DIR: dataDir, ...(redis && { REDIS_URL: redis.url }) },
    });
    t.teardown(process.kill);
    const { url } = await process.hear('listening');
    return { url, process };
  };
  const holding = await gateway(dir);
  const changing = options.replicas === 2 && redis !== null ? await gateway(join(dir, 'other')) : holding;
  const client = redis && new Redis(redis.url);
  t.teardown(() => client?.disconnect());
  return { ids, holding, changing, commands: () => client && commandsOf(client) };
}

/** One task holds the only slot, and nobody looks at it: nothing is sent to Modellix, and nothing changes by itself. */
const SETTINGS = {
  PORT: '0',
  MODELLIX_API_KEY: KEY,
  MODELLIX_BASE_URL: 'http://127.0.0.1:9',
  MODELLIX_CONCURRENCY: '1',
  RATE_LIMIT_PER_MINUTE: '1000000',
  // All of one caller, who may have half of them.
  MAX_WAITERS: '1000000',
  WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  CALLBACK_NETWORKS: '127.0.0.0/8',
};

async function fill(store: Store, callbackUrls: readonly (string | null)[]): Promise<string[]> {
  const lane = new KeyPool([KEY]).keys()[0]?.id ?? '';
  const { avatar, version } = await create(store, { ...queuedAvatar(0), caller: CALLER });
  const holder = { ...pendingAvatar(avatar), keyId: lane };
  await saved(store, holder, version, { dueInMs: HOUR_MS, submission: 'drop' });

  const ids: string[] = [];
  await inParallel(callbackUrls.length, async (n) => {
    const url = callbackUrls[n] ?? null;
    const callback = url === null ? null : awaited({ url, taskBase: null, deliveries: [] }, null);
    ids[n] = (await create(store, { ...queuedAvatar(n), caller: CALLER, callback })).avatar.id;
  });
  return ids;
}

/** Without what this asks itself. */
async function commandsOf(client: Redis): Promise<ReadonlyMap<string, number>> {
  const info = await client.info('commandstats');
  const counts = [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(
    ([, name = '', calls]) => [name, Number(calls)] as const,
  );
  return new Map(counts.filter(([name]) => name !== 'info'));
}

/** Ends a queued avatar. */
export async function cancel({ url }: Gateway, id: string): Promise<void> {
  const { status, ok } = await fetch(`${url}/avatars/${id}/cancel`, { method: 'POST' });
  if (!ok) throw new Error(`a cancel was answered with ${status}`);
}

/** Answers that come soon, one after the other: all that was sent before is done. */
const SOON_MS = 25;
const IN_A_ROW = 5;
const LONGEST_MS = 30_000;

/** Resolves when a gateway has nothing left to do. */
export async function quiet({ url }: Gateway): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  for (let soon = 0; soon < IN_A_ROW && performance.now() < deadline; ) {
    const askedAt = performance.now();
    await (await fetch(`${url}/livez`)).text();
    soon = performance.now() - askedAt < SOON_MS ? soon + 1 : 0;
    await sleep(100);
  }
}
