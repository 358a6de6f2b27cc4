/** Submissions of the embedded store are files beside its database: what becomes of them when something goes wrong. */

import { appendFile, copyFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import t from 'tap';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { encodeRecord } from '../../src/store/record.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { create, files, open } from './fixtures-embedded.js';

/** What a file that nobody needs would be called. */
const ORPHAN = `${'0'.repeat(32)}.submission`;

async function fileOf(dir: string): Promise<string> {
  const [file = '', ...others] = await files(dir);
  if (others.length > 0) throw new Error(`${others.length} files too many`);
  return join(dir, 'media', file);
}

async function using<T>(dir: string, work: (level: ClassicLevel<string, string>) => Promise<T>): Promise<T> {
  const level = new ClassicLevel<string, string>(dir);
  const result = await work(level);
  await level.close();
  return result;
}

t.test('embedded: what is kept of media is for this user only', async (t) => {
  const dir = join(t.testdir(), 'data');
  await create(await open(t, dir), 'av_1');
  t.equal((await stat(join(dir, 'media'))).mode & 0o777, 0o700);
  t.equal((await stat(await fileOf(dir))).mode & 0o777, 0o600);
});

t.test('embedded: at open, files that nobody needs are swept, and no others', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  for (const id of ['av_kept', 'av_newer', 'av_corrupt', 'av_aside']) await create(store, id);
  await store.close();
  await using(dir, async (level) => {
    await level.put('avatar!av_newer', '9 {"whatever":"a newer release writes"}');
    for (const id of ['av_corrupt', 'av_aside']) await level.put(`avatar!${id}`, 'not a record');
    await level.put('meta!av_corrupt', 'not JSON');
  });
  const first = await open(t, dir);
  for (const id of ['av_corrupt', 'av_aside']) await t.rejects(first.find(CALLER, id));
  t.same(first.health(), { corruptRecords: 2 });
  await first.close();

  const needed = await files(dir);
  t.equal(needed.length, 4);
  await copyFile(join(dir, 'media', String(needed[0])), join(dir, 'media', ORPHAN));
  await writeFile(join(dir, 'media', 'of-a-newer-release'), '');
  const second = await open(t, dir);
  t.same((await files(dir)).toSorted(), [...needed, 'of-a-newer-release'].toSorted());
  t.same(await second.submission('av_kept'), SUBMISSION);
  await second.close();
  await using(dir, (level) =>
    level.put('avatar!av_newer', String(encodeRecord(avatarOf({ id: 'av_newer' })))),
  );
  const third = await open(t, dir);
  t.match(await third.find(CALLER, 'av_newer'), { version: 1 });
  t.same(await third.submission('av_newer'), SUBMISSION);
  t.equal(await third.remove('av_newer', 1), true);
  t.equal((await files(dir)).length, 4);
});

t.test('embedded: nothing is swept where it cannot be known what is needed', async (t) => {
  const dir = t.testdir();
  await (await open(t, dir)).close();
  await using(dir, (level) => level.put('submission!av_newer', 'written in another way'));
  await writeFile(join(dir, 'media', ORPHAN), '');
  const store = await open(t, dir);
  t.same(await files(dir), [ORPHAN]);
  t.equal(await store.submission('av_newer'), null);
});

t.test(
  'embedded: what is not all there is not submitted, what cannot be read is not said to be gone',
  async (t) => {
    const dir = t.testdir();
    const store = await open(t, dir);
    const { avatar } = await create(store, 'av_1');
    const file = await fileOf(dir);
    await truncate(file, SUBMISSION.length - 1);
    t.equal(await store.submission(avatar.id), null, 'short');
    await appendFile(file, 'xx');
    t.equal(await store.submission(avatar.id), null, 'long');
    await rm(file);
    t.equal(await store.submission(avatar.id), null, 'missing');
    await symlink(file, file);
    const message = 'the data directory cannot be read';
    await t.rejects(store.submission(avatar.id), { name: 'StoreUnavailableError', message });
  },
);

t.test('embedded: a folder that cannot be written refuses what is new, and that alone', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  const idempotency = { key: 'key-1', fingerprint: 'f' };
  const { avatar } = await create(store, 'av_1', { idempotency });
  await rename(join(dir, 'media'), join(dir, 'elsewhere'));
  const message = 'the data directory cannot be written';
  await t.rejects(create(store, 'av_2'), { name: 'StoreUnavailableError', message });
  t.equal(await store.find(CALLER, 'av_2'), null);
  t.match(
    await create(store, 'av_3', { idempotency }),
    { avatar: { id: avatar.id } },
    'no file is written for it',
  );
  const bounds = { maxAvatars: 1, maxBytes: 1e9 };
  const full = store.create(avatarOf(), [SUBMISSION], dueIn(LONG, { bounds }));
  await t.rejects(full, { name: 'QueueFullError' });
  await t.rejects(create(store, 'av_1'), { name: 'AvatarExistsError' });
  t.match(await store.save(avatar, 1, { dueInMs: LONG, submission: 'keep' }), { saved: true });
  await rename(join(dir, 'elsewhere'), join(dir, 'media'));
  t.same(await store.submission(avatar.id), SUBMISSION);
  t.match(await create(store, 'av_2'), { version: 1 });
});

t.test(
  'embedded: a folder of media that cannot be is unavailable, and leaves the directory to the next',
  async (t) => {
    const dir = t.testdir({ media: 'a file' });
    await t.rejects(openEmbeddedStore({ dir }), { name: 'StoreUnavailableError', cause: { code: 'EEXIST' } });
    await rm(join(dir, 'media'));
    t.match(await create(await open(t, dir), 'av_1'), { version: 1 });
  },
);
