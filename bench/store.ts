/**
 * Durable commits of 1.5 kB records: what the embedded store does, beside the plain call of LevelDB and LMDB on the
 * same disk, and the Redis store where redis-server is there. `npx tsx bench/store.ts [seconds per line]`.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { open as openLmdb } from 'lmdb';
import { newAvatar } from '../src/domain/moves.js';
import { GroupCommit } from '../src/store/embedded/commit.js';
import { LevelDisk } from '../src/store/embedded/level.js';
import { openEmbeddedStore } from '../src/store/embedded.js';
import { openRedisStore } from '../src/store/redis/redis.js';
import type { Store } from '../src/store/store.js';
import { startRedis } from '../test/support/redis.js';

const MS = Number(process.argv[2] ?? 2) * 1000;
const WRITERS = [1, 10, 50];
const RECORD = randomBytes(1500);

interface Subject {
  readonly commit: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

/** One after the other per writer, until the time is up. */
async function measure({ commit }: Subject, writers: number): Promise<string> {
  const took: number[] = [];
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
  took.sort((a, b) => a - b);
  const quantile = (q: number): string => (took[Math.floor(took.length * q)] ?? Number.NaN).toFixed(2);
  return `${String(Math.round(took.length / seconds)).padStart(9)} ${quantile(0.5).padStart(7)} ${quantile(0.99).padStart(7)}`;
}

async function groupCommit(dir: string): Promise<Subject> {
  const disk = await LevelDisk.open(dir);
  const group = new GroupCommit(disk);
  return {
    commit: () => group.transact((tx) => tx.put(randomUUID(), RECORD)),
    close: () => disk.close(),
  };
}

async function plainLevel(dir: string): Promise<Subject> {
  const level = new ClassicLevel<string, Buffer>(dir, { valueEncoding: 'buffer' });
  await level.open();
  return {
    commit: () => level.batch([{ type: 'put', key: randomUUID(), value: RECORD }], { sync: true }),
    close: () => level.close(),
  };
}

/** Without overlapping syncs, so that a resolved write is on the disk. Its async `transaction()` is not used. */
async function lmdb(dir: string): Promise<Subject> {
  const db = openLmdb<Buffer, string>({ path: dir, encoding: 'binary', overlappingSync: false });
  return {
    commit: () => db.batch(() => void db.put(randomUUID(), RECORD)),
    close: () => db.close(),
  };
}

/** An avatar's first two writes; each counts as one commit. */
function createAndSave(store: Store): Subject {
  let writes = 0;
  const created: Awaited<ReturnType<Store['create']>>[] = [];
  const lease = 3_600_000;
  const creation = { dueInMs: lease, doubtMs: 0, bounds: { maxAvatars: 1e9, maxBytes: 1e12 } };
  return {
    async commit() {
      const last = writes++ % 2 === 0 ? undefined : created.pop();
      if (last === undefined) created.push(await store.create(avatar(), [RECORD], creation));
      else await store.save(last.avatar, last.version, { dueInMs: lease, submission: 'drop' });
    },
    close: () => store.close(),
  };
}

function avatar() {
  const facts = { source: 'url', format: null, bytes: null } as const;
  const image = { ...facts, width: null, height: null };
  const audio = { ...facts, durationSeconds: null };
  const prompt = 'x'.repeat(1000);
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
  return createAndSave(store);
}

const end: (() => unknown)[] = [];
const subjects: [string, (dir: string) => Promise<Subject>][] = [
  ['LevelDB, group commit (ours)', groupCommit],
  ['LevelDB, batch sync', plainLevel],
  ['LMDB, batch', lmdb],
  ['embedded store, create/save', async (dir) => createAndSave(await openEmbeddedStore({ dir }))],
  ['Redis store, everysec', () => redisStore('everysec', end)],
  ['Redis store, always', () => redisStore('always', end)],
];

console.log(`${''.padEnd(30)} writers commits/s  p50 ms  p99 ms`);
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
