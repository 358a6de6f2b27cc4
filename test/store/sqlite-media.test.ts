/** Large submissions are files beside the database: what there is of both, wherever it stops. */

import { appendFile, copyFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { avatarOf, CALLER, dueIn, LONG } from './fixtures.js';
import { byHand, child, files, LARGE, open } from './fixtures-sqlite.js';

/** What a file that nobody needs would be called. */
const ORPHAN = `${'0'.repeat(32)}.submission`;
const STOP = ['--import', './test/faults/stop-at-write.mjs'];
const KEEP = { dueInMs: LONG, submission: 'keep' } as const;

const create = (store: Store, id: string, change = {}) =>
  store.admit(avatarOf({ id, ...change }), [LARGE], dueIn(LONG));

async function fileOf(dir: string): Promise<string> {
  const [file = '', ...others] = await files(dir);
  if (others.length > 0) throw new Error(`${others.length} files too many`);
  return join(dir, 'media', file);
}

t.test('sqlite: small submissions are no files, large ones are for this user only', async (t) => {
  const dir = join(t.testdir(), 'data');
  const store = await open(t, dir);
  await store.admit(avatarOf(), [LARGE.subarray(0, 100_000)], dueIn(LONG));
  t.same(await files(dir), []);
  await create(store, 'av_1');
  t.equal((await stat(join(dir, 'media'))).mode & 0o777, 0o700);
  t.equal((await stat(await fileOf(dir))).mode & 0o777, 0o600);
  for (const name of ['avatars.db', 'avatars.db-wal', 'avatars.acknowledged']) {
    t.equal((await stat(join(dir, name))).mode & 0o077, 0, name);
  }
});

t.test('sqlite: kill -9 around the write of an admission or of a drop', async (t) => {
  for (const [at, when, before, version, after] of [
    ['the admission', 'before', 1, null, 0],
    ['the admission', 'after', 1, 1, 1],
    ['the drop', 'before', 1, 1, 1],
    ['the drop', 'after', 1, 2, 0],
  ] as const) {
    const what = `${when} ${at}`;
    const dir = join(t.testdir(), what.replaceAll(' ', '-'));
    const other = child(t, 'drop', dir, `export STOP_AT='${at}' STOP_WHEN=${when}`, STOP);
    t.equal(await other.line(), 'stopped at the write', what);
    t.equal((await files(dir)).length, before, `${what}: the file is there`);
    await other.kill();
    const store = await open(t, dir);
    t.equal((await store.find(CALLER, 'av_stopped'))?.version ?? null, version, what);
    t.same(await store.submission('av_stopped'), after === 1 ? LARGE : null, what);
    t.equal((await files(dir)).length, after, `${what}: swept where it is not needed`);
  }
});

t.test('sqlite: at open, files that nobody needs are swept, and no others', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  await create(store, 'av_1');
  await store.close();
  await copyFile(await fileOf(dir), join(dir, 'media', ORPHAN));
  await writeFile(join(dir, 'media', 'of-somebody-else'), '');
  const again = await open(t, dir);
  const left = await files(dir);
  t.notOk(left.includes(ORPHAN));
  t.ok(left.includes('of-somebody-else'));
  t.same(await again.submission('av_1'), LARGE);
});

t.test(
  'sqlite: what is not all there is not submitted, what cannot be read is not said to be gone',
  async (t) => {
    const dir = t.testdir();
    const store = await open(t, dir);
    await create(store, 'av_1');
    const file = await fileOf(dir);
    await writeFile(file, LARGE.toString().replace('aa', 'ab'));
    t.equal(await store.submission('av_1'), null, 'another byte');
    await truncate(file, LARGE.length - 1);
    t.equal(await store.submission('av_1'), null, 'short');
    await appendFile(file, 'xx');
    t.equal(await store.submission('av_1'), null, 'long');
    await rm(file);
    t.equal(await store.submission('av_1'), null, 'missing');
    await symlink(file, file);
    const message = 'the data directory cannot be read';
    await t.rejects(store.submission('av_1'), { name: 'StoreUnavailableError', message });
    await store.admit(avatarOf({ id: 'av_2' }), [Buffer.from('small')], dueIn(LONG));
    await byHand(dir, (db) =>
      db.exec(`update avatars set submission = cast('other' as blob) where submission is not null`),
    );
    t.equal(await store.submission('av_2'), null, 'nor a small one');
  },
);

t.test('sqlite: a folder that cannot be written refuses what is new and large, and that alone', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  const idempotency = { key: 'key-1', fingerprint: 'f' };
  const { avatar } = await create(store, 'av_1', { idempotency });
  await rename(join(dir, 'media'), join(dir, 'elsewhere'));
  const message = 'the data directory cannot be written';
  await t.rejects(create(store, 'av_2'), { name: 'StoreUnavailableError', message });
  t.equal(await store.find(CALLER, 'av_2'), null);
  t.match(await create(store, 'av_3', { idempotency }), { outcome: 'known', avatar: { id: avatar.id } });
  const bounds = { maxAvatars: 1, maxBytes: 1e9 };
  await t.rejects(store.admit(avatarOf(), [LARGE], dueIn(LONG, { bounds })), { name: 'QueueFullError' });
  t.match(await store.save(avatar, 1, KEEP), { saved: true });
  await rename(join(dir, 'elsewhere'), join(dir, 'media'));
  t.same(await store.submission(avatar.id), LARGE);
  t.match(await create(store, 'av_2'), { version: 1 });
});

t.test(
  'sqlite: a folder of media that cannot be is unavailable, and leaves the directory to the next',
  async (t) => {
    const dir = t.testdir({ media: 'a file' });
    await t.rejects(openSqliteStore({ dir }), { name: 'StoreUnavailableError', cause: { code: 'EEXIST' } });
    await rm(join(dir, 'media'));
    t.match(await create(await open(t, dir), 'av_1'), { version: 1 });
  },
);
