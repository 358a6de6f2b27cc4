/**
 * The two durable writes of an avatar, with 1.5 kB to submit: its admission and the save of the outcome, on the embedded store and
 * on Redis, with a dozen keys. The processor time is that of this process, all its threads counted: what makes the avatars is in it, Redis
 * is not. `npm run bench:store [seconds per line]`.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepted, newAvatar } from '../src/domain/moves.js';
import { openRedisStore } from '../src/store/redis/redis.js';
import { openSqliteStore } from '../src/store/sqlite/sqlite.js';
import type { Store } from '../src/store/store.js';
import { startRedis } from '../test/support/redis.js';

const MS = Number(process.argv[2] ?? 2) * 1000;
const WRITERS = [1, 10, 50];
const RECORD = randomBytes(1500);
const KEYS = Array.from({ length: 12 }, (_, i) => `key-${i}`);

interface Subject {
  readonly commit: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

/** One after the other per writer, until the time is up. */
async function measure({ commit }: Subject, writers: number): Promise<string> {
  const took: number[] = [];
  const before = process.cpuUsage();
  const begin = performance.now();
  const writer = async (): Promise<void> => {
    for (let now = performance.now(); now - begin < MS; ) {
      await commit();
      const after = performance.now();
      took.push(after - now);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(before);
  took.sort((a, b) => a - b);
  const quantile = (q: number): string => (took[Math.floor(took.length * q)] ?? Number.NaN).toFixed(2);
  const cpu = ((user + system) / took.length).toFixed(0);
  return `${String(Math.round(took.length / seconds)).padStart(9)} ${quantile(0.5).padStart(7)} ${quantile(0.99).padStart(7)} ${cpu.padStart(13)}`;
}

/** An avatar's two writes. */
function admitAndSave(store: Store): Subject {
  const lease = 3_600_000;
  const calls = { intervalMs: 1 / 256, burst: 1e5 };
  const bounds = { maxAvatars: 1e9, maxBytes: 1e12 };
  return {
    async commit() {
      const keys = KEYS.map((keyId) => ({ keyId, slots: 1e6, calls }));
      const begin = { intent: randomUUID(), keys, leaseMs: lease };
      const admission = { dueInMs: lease, doubtMs: 0, bounds, begin };
      const { avatar, version } = await store.admit(newOne(), [RECORD], admission);
      await store.save(accepted(avatar, randomUUID(), Date.now()), version, {
        dueInMs: lease,
        submission: 'drop',
      });
    },
    close: () => store.close(),
  };
}

function newOne() {
  const facts = { source: 'url', format: null, bytes: null } as const;
  const image = { ...facts, width: null, height: null };
  const audio = { ...facts, durationSeconds: null };
  const prompt = 'x'.repeat(700);
  const base = {
    caller: 'bench',
    idempotency: null,
    mode: 'std',
    prompt,
    externalId: null,
    metadata: {},
  } as const;
  return newAvatar(
    {
      ...base,
      id: randomUUID(),
      image,
      audio,
      costEstimateUsd: null,
      spend: null,
      traceparent: null,
      startBy: null,
      callbackUrl: null,
    },
    Date.now(),
  );
}

async function redisStore(fsync: 'everysec' | 'always', end: (() => unknown)[]): Promise<Subject> {
  const teardown = { teardown: (fn: () => unknown) => end.push(fn) };
  const args = ['--appendfsync', fsync];
  const { url } = await startRedis(teardown, { appendonly: true, args });
  const store = await new Promise<Store>((resolve) => {
    const opened = openRedisStore({ url, onEvent: () => setImmediate(() => resolve(opened)) });
  });
  return admitAndSave(store);
}

const end: (() => unknown)[] = [];
const subjects: [string, (dir: string) => Promise<Subject>][] = [
  ['SQLite', async (dir) => admitAndSave(await openSqliteStore({ dir }))],
  ['Redis, everysec', () => redisStore('everysec', end)],
  ['Redis, always', () => redisStore('always', end)],
];

console.log(`${''.padEnd(30)} writers avatars/s  p50 ms  p99 ms  cpu us/avatar`);
for (const [name, open] of subjects) {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-bench-'));
  try {
    const subject = await open(dir);
    end.unshift(() => subject.close());
    for (const writers of WRITERS) {
      console.log(`${name.padEnd(30)} ${String(writers).padStart(7)} ${await measure(subject, writers)}`);
    }
  } catch (error) {
    console.log(`${name.padEnd(30)} ${error instanceof Error ? error.message : error}`);
  } finally {
    for (const fn of end.splice(0)) await fn();
    await rm(dir, { recursive: true, force: true });
  }
}
