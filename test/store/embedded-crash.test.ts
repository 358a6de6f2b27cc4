/** Files of submissions beside the database: what is there of both, wherever it stops. */

import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import t, { type Test } from 'tap';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { until } from '../support/until.js';
import { CALLER, LONG, SUBMISSION } from './fixtures.js';
import { child, create, files, open } from './fixtures-embedded.js';

const DROP = { dueInMs: LONG, submission: 'drop' } as const;
/** What a file that nobody needs would be called. */

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

/** The calls that put something on disk, in their order; `holdSync` keeps the next sync of a folder until what it returns is called. */
async function watchDisk(t: Test, dir: string) {
  const handle = await openFile(dir, 'r');
  await handle.close();
  type Method = (this: unknown, ...args: unknown[]) => Promise<void>;
  const files: Record<'datasync' | 'sync', Method> = Object.getPrototypeOf(handle);
  const level = ClassicLevel.prototype as unknown as Record<'batch', Method>;
  const original = { datasync: files.datasync, sync: files.sync, batch: level.batch };
  t.teardown(() => {
    Object.assign(files, { datasync: original.datasync, sync: original.sync });
    Object.assign(level, { batch: original.batch });
  });
  const done: (keyof typeof original)[] = [];
  let held: Promise<void> | null = null;
  const noting = (name: keyof typeof original): Method =>
    async function (...args) {
      if (name === 'sync') {
        const waitFor = held;
        held = null;
        await waitFor;
      }
      await original[name].apply(this, args);
      done.push(name);
    };
  Object.assign(files, { datasync: noting('datasync'), sync: noting('sync') });
  Object.assign(level, { batch: noting('batch') });
  const holdSync = () => {
    let letGo = () => {};
    held = new Promise((resolve) => (letGo = resolve));
    return letGo;
  };
  return { done, holdSync };
}

t.test('embedded: a file and its name are on disk before the batch that names it', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  const { done } = await watchDisk(t, dir);
  await create(store, 'av_1');
  t.same(done, ['datasync', 'sync', 'batch']);
});

t.test('embedded: many that are created at once share a sync of their folder', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  const { done, holdSync } = await watchDisk(t, dir);
  const letGo = holdSync();
  const creating = Promise.all(Array.from({ length: 20 }, (_, i) => create(store, `av_${i}`)));
  const count = (name: string) => done.filter((each) => each === name).length;
  await until('all files are written', async () => count('datasync') === 20 || null, { everyMs: 5 });
  t.equal(count('batch'), 0);
  letGo();
  await creating;
  t.equal(count('sync'), 2);
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

t.test('embedded: a file that is not named yet is not swept while the database recovers', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  const { avatar } = await create(store, 'av_1');
  const { done, holdSync } = await watchDisk(t, dir);
  const letGo = holdSync();
  const creating = create(store, 'av_2');
  await until('the file is written', async () => done.includes('datasync') || null, { everyMs: 5 });
  failNextBatch(t, false);
  await t.rejects(store.save(avatar, 1, DROP), StoreUnavailableError);
  await isUsedAgain(store);
  t.equal((await files(dir)).length, 2);
  letGo();
  t.match(await creating, { version: 1 });
  t.same(await store.submission('av_2'), SUBMISSION);
});
