/** Submissions of the embedded store are files beside its database: what becomes of them when something goes wrong. */

import {
  appendFile,
  copyFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import t, { type Test } from 'tap';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { encodeRecord } from '../../src/store/record.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { child } from './fixtures-embedded.js';

const DROP = { dueInMs: LONG, submission: 'drop' } as const;
/** What a file that nobody needs would be called. */
const ORPHAN = `${'0'.repeat(32)}.submission`;

async function open(t: Test, dir: string): Promise<Store> {
  const store = await openEmbeddedStore({ dir });
  t.teardown(() => store.close());
  return store;
}

const create = (store: Store, id: string, change = {}) =>
  store.create(avatarOf({ id, ...change }), [SUBMISSION], dueIn(LONG));
const files = (dir: string) => readdir(join(dir, 'media'));

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

/**
 * The next batch fails; where it reached the disk all the same, LevelDB shows nothing of it until it is opened again.
 */
function failNextBatch(t: Test, reached: boolean): void {
  type Method = (this: unknown, ...args: unknown[]) => Promise<void>;
  const { batch, open } = ClassicLevel.prototype as unknown as { batch: Method; open: Method };
  t.teardown(() => Object.assign(ClassicLevel.prototype, { batch, open }));
  Object.assign(ClassicLevel.prototype, {
    async batch(...args: unknown[]) {
      Object.assign(ClassicLevel.prototype, { batch });
      const reopen: Method = async function (...options) {
        Object.assign(ClassicLevel.prototype, { open });
        await open.apply(this, options);
        await batch.apply(this, args);
      };
      if (reached) Object.assign(ClassicLevel.prototype, { open: reopen });
      throw new Error('EIO');
    },
  });
}

const isUsedAgain = (store: Store) =>
  until('the disk is used again', () =>
    store.ping().then(
      () => true as const,
      () => null,
    ),
  );

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
    await level.put('avatar!av_newer', '2 {"whatever":"a newer release writes"}');
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

t.test('embedded: kill -9 around the batch of a create or of a drop', async (t) => {
  for (const [task, before, version, after] of [
    ['stop-before-create', 1, null, 0],
    ['stop-after-create', 1, 1, 1],
    ['stop-before-drop', 1, 1, 1],
    ['stop-after-drop', 1, 2, 0],
  ] as const) {
    const dir = join(t.testdir(), task);
    const other = child(t, task, dir);
    const said = (await other.says()) as { files: string[] };
    t.equal(said.files.length, before, `${task}: the file is there`);
    await other.kill();
    const store = await open(t, dir);
    t.equal((await store.find(CALLER, 'av_stopped'))?.version ?? null, version, task);
    t.same(await store.submission('av_stopped'), after === 1 ? SUBMISSION : null, task);
    t.equal((await files(dir)).length, after, `${task}: swept where it is not needed`);
  }
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

for (const reached of [false, true]) {
  const how = reached ? 'and is on disk all the same' : 'and is not on disk';
  t.test(`embedded: the batch of a create fails ${how}`, async (t) => {
    const dir = t.testdir();
    const store = await open(t, dir);
    failNextBatch(t, reached);
    await t.rejects(create(store, 'av_1'), StoreUnavailableError);
    t.equal((await files(dir)).length, 1, 'it may still be needed');
    await isUsedAgain(store);
    t.same(await files(dir), [], 'taken back');
    t.equal(await store.find(CALLER, 'av_1'), null);
    t.match(await create(store, 'av_1'), { version: 1 });
    t.equal((await files(dir)).length, 1);
  });

  t.test(`embedded: the batch of a create fails ${how}, and the process ends`, async (t) => {
    const dir = t.testdir();
    const store = await open(t, dir);
    failNextBatch(t, reached);
    await t.rejects(create(store, 'av_1'), StoreUnavailableError);
    await store.close();
    const next = await open(t, dir);
    t.equal((await next.find(CALLER, 'av_1')) !== null, reached);
    t.same(await next.submission('av_1'), reached ? SUBMISSION : null);
    t.equal((await files(dir)).length, reached ? 1 : 0);
  });

  t.test(`embedded: the batch of a drop fails ${how}`, async (t) => {
    const dir = t.testdir();
    const store = await open(t, dir);
    const { avatar } = await create(store, 'av_1');
    failNextBatch(t, reached);
    await t.rejects(store.save(avatar, 1, DROP), StoreUnavailableError);
    await isUsedAgain(store);
    t.match(await store.find(CALLER, 'av_1'), { version: 1 });
    t.same(await store.submission('av_1'), SUBMISSION);
  });
}

t.test('embedded: a file that is being written while the database recovers is not swept', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  const { avatar } = await create(store, 'av_1');
  failNextBatch(t, false);
  const large = [Buffer.alloc(8 << 20, 'x')];
  const [failed, made] = await Promise.allSettled([
    store.save(avatar, 1, DROP),
    ...Array.from({ length: 6 }, (_, i) =>
      store.create(avatarOf({ id: `av_large_${i}` }), large, dueIn(LONG)),
    ),
  ]);
  t.equal(failed?.status, 'rejected');
  t.ok(made);
  await isUsedAgain(store);
  const { queued } = await store.outlook([]);
  t.equal((await files(dir)).length, queued);
  for (const { avatar } of await store.next(9)) {
    t.not(await store.submission(avatar.id), null, avatar.id);
  }
});
