/**
 * What the durable intent adds to a submit: how long `save` takes for a record that goes from `queued` to `submitting`,
 * on each store and setting, with one submit at a time and with ten. `npm run bench:intent`.
 */

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginSubmit, newAvatar } from '../src/domain/moves.js';
import { openEmbeddedStore } from '../src/store/embedded.js';
import { openRedisStore, type RedisStoreOptions } from '../src/store/redis/redis.js';
import type { Store, Stored } from '../src/store/store.js';
import { startRedis } from '../test/support/redis.js';

const SUBMITS = 500;
const LEASE_MS = 100_000;
const SUBMISSION = Buffer.alloc(100_000, 'A');
const CREATION = { dueInMs: LEASE_MS, doubtMs: 0, bounds: { maxAvatars: 1e9, maxBytes: 1e12 } };

const endings: (() => unknown)[] = [];
const t = { teardown: (fn: () => unknown) => void endings.unshift(fn) };

function queued() {
  return newAvatar(
    {
      id: `av_${randomUUID()}`,
      caller: 'bench',
      idempotency: null,
      mode: 'std',
      prompt: 'x'.repeat(200),
      externalId: null,
      metadata: {},
      image: { source: 'inline', format: 'jpeg', width: 720, height: 960, bytes: 42_000 },
      audio: { source: 'inline', format: 'mp3', durationSeconds: 6.2, bytes: 50_000 },
      costEstimateUsd: 0.2767,
      spend: null,
      traceparent: null,
      callbackUrl: null,
    },
    Date.now(),
  );
}

async function measure(name: string, store: Store): Promise<void> {
  for (const atOnce of [1, 10]) {
    const stored: Stored[] = [];
    for (let n = 0; n < SUBMITS; n++) stored.push(await store.create(queued(), [SUBMISSION], CREATION));
    const latenciesMs: number[] = [];
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let next = stored.pop(); next !== undefined; next = stored.pop()) {
          const startedAt = performance.now();
          await store.save(beginSubmit(next.avatar, 'key-1', 'intent-1'), next.version, {
            dueInMs: LEASE_MS,
            submission: 'keep',
          });
          latenciesMs.push(performance.now() - startedAt);
        }
      }),
    );
    latenciesMs.sort((a, b) => a - b);
    const at = (share: number) => (latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0).toFixed(2);
    console.log(
      `${name.padEnd(40)} ${String(atOnce).padStart(2)} at once   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`,
    );
  }
}

async function redis(args: string[], options: Partial<RedisStoreOptions> = {}, replicas = 0): Promise<Store> {
  const server = await startRedis(t, {
    appendonly: true,
    args: [...args, '--repl-diskless-sync-delay', '0'],
  });
  for (let n = 0; n < replicas; n++) {
    await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(server.port)] });
  }
  return new Promise((resolve) => {
    const store = openRedisStore({
      url: server.url,
      ...options,
      onEvent: ({ kind }) => kind === 'connected' && setImmediate(() => resolve(store)),
    });
    t.teardown(() => store.close());
  });
}

/** A replica is in step once a write that waits for it comes back. */
async function inStep(store: Store): Promise<Store> {
  for (;;) {
    try {
      await store.create(queued(), [SUBMISSION], CREATION);
      return store;
    } catch {
      // Not yet: the write waited for it in vain.
    }
  }
}

const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-bench-'));
t.teardown(() => rm(dir, { recursive: true, force: true }));
try {
  console.log(`node ${process.version}, ${cpus().length} cores, ${SUBMITS} submits each`);
  const embedded = await openEmbeddedStore({ dir });
  t.teardown(() => embedded.close());
  await measure('embedded store', embedded);
  await measure('Redis, appendfsync everysec', await redis(['--appendfsync', 'everysec']));
  await measure('Redis, appendfsync always', await redis(['--appendfsync', 'always']));
  const waitFor = { replicas: 1, ownFile: false };
  await measure(
    'Redis, everysec, WAIT for one replica',
    await inStep(await redis(['--appendfsync', 'everysec'], { waitFor }, 1)),
  );
} finally {
  for (const end of endings) await end();
}
