import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import t, { type Test } from 'tap';
import type { Changes } from '../../src/store/embedded/commit.js';
import { LevelDisk } from '../../src/store/embedded/level.js';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { type Store, StoreLockedError, StoreUnavailableError } from '../../src/store/store.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { child } from './fixtures-embedded.js';

async function open(t: Test, dir: string, now?: () => number): Promise<Store> {
  const store = await openEmbeddedStore(now === undefined ? { dir } : { dir, now });
  t.teardown(() => store.close());
  return store;
}

t.test('embedded: everything is there again after a restart', async (t) => {
  const dir = join(t.testdir(), 'made', 'for', 'it');
  const first = await open(t, dir);
  const due = (await first.create(avatarOf(), [SUBMISSION], dueIn(0))).avatar;
  const later = (await first.create(avatarOf({ taskId: 'task-1' }), [SUBMISSION], dueIn(LONG))).avatar;
  await first.save(later, 1, { dueInMs: LONG, submission: 'drop' });
  await first.close();

  const second = await open(t, dir);
  t.match(await second.find(CALLER, later.id), { avatar: later, version: 2 });
  t.same(await second.submission(due.id), SUBMISSION);
  t.equal(await second.submission(later.id), null);
  t.match(await second.claim(null, 10, LONG), [{ avatar: due, version: 2 }]);
  const taken = await second.save({ ...due, taskId: 'task-1' }, 2, { dueInMs: 0, submission: 'keep' });
  t.same(taken, { saved: false, reason: 'task-taken' });
  t.equal((await stat(dir)).mode & 0o777, 0o700);
});

t.test('embedded: a second process is refused, with a clear line', async (t) => {
  const dir = t.testdir();
  await open(t, dir);
  const message = `the data directory ${dir} is in use by another process`;
  t.equal(await child(t, 'open', dir).says(), `StoreLockedError: ${message}`);
  await t.rejects(openEmbeddedStore({ dir }), new StoreLockedError(dir));
});

t.test('embedded: a created avatar outlives kill -9', async (t) => {
  const dir = t.testdir();
  const other = child(t, 'create', dir);
  const id = String(await other.says());
  await other.kill();
  t.match(await (await open(t, dir)).find(CALLER, id), { version: 1 });
});

t.test('embedded: a directory that cannot be is unavailable, and the reason is kept', async (t) => {
  const file = join(t.testdir({ file: 'a file' }), 'file');
  await t.rejects(openEmbeddedStore({ dir: file }), {
    name: 'StoreUnavailableError',
    cause: { code: 'EEXIST' },
  });
  await t.rejects(openEmbeddedStore({ dir: join(file, 'below') }), {
    name: 'StoreUnavailableError',
    cause: { code: 'ENOTDIR' },
  });
  // What LevelDB cannot create its files in, whoever runs the test.
  const dir = join(t.testdir(), 'data');
  await mkdir(join(dir, 'CURRENT', 'in the way'), { recursive: true });
  await t.rejects(openEmbeddedStore({ dir }), StoreUnavailableError);
});

t.test('embedded: a damaged database is unavailable, not empty', async (t) => {
  const dir = t.testdir();
  await (await open(t, dir)).close();
  await writeFile(join(dir, 'CURRENT'), 'MANIFEST-999999\n');
  await t.rejects(openEmbeddedStore({ dir }), StoreUnavailableError);
});

// The database's log is full after four records of 200 kB, and begins anew after the refusal; a file of media at once.
for (const [task, least] of [
  ['fill-records', 5],
  ['fill-media', 1],
] as const) {
  t.test(`embedded: a full disk refuses, loses nothing, and is used again: ${task}`, async (t) => {
    const dir = t.testdir();
    const filling = child(t, task, dir, 'ulimit -f 2048'); // No file may grow beyond a megabyte.
    const { refused, error } = (await filling.says()) as { refused: string; error: string };
    t.equal(error, 'StoreUnavailableError: the data directory cannot be written');
    const { found, files } = (await filling.says()) as { found: unknown; files: string[] };
    t.equal(found, null);
    const { created } = (await filling.says()) as { created: string[] };
    t.ok(created.length >= least, `${created.length} created`);
    t.equal(files.length, created.length - 1, 'nothing is left of the refused one');
    const store = await open(t, dir);
    for (const id of created) {
      t.match(await store.find(CALLER, id), { version: 1 });
      t.same(await store.submission(id), SUBMISSION);
    }
    t.equal(await store.find(CALLER, refused), null);
  });
}

t.test('embedded: a failed write that comes back from the dead is taken back', async (t) => {
  const disk = await LevelDisk.open(t.testdir());
  t.teardown(() => disk.close());
  const bytes = (text: string) => Buffer.from(text);
  await disk.write(new Map([['a', bytes('old')]]));

  // A flush that fails may have reached the log: LevelDB shows nothing of it until the log is read again.
  const { batch, open }: { batch: unknown; open: (...args: never[]) => Promise<void> } =
    ClassicLevel.prototype;
  t.teardown(() => Object.assign(ClassicLevel.prototype, { batch, open }));
  const changes: Changes = new Map([
    ['a', bytes('new')],
    ['b', bytes('new')],
  ]);
  Object.assign(ClassicLevel.prototype, {
    batch: async () => {
      throw new Error('EIO');
    },
    async open(this: ClassicLevel<string, Buffer>) {
      Object.assign(ClassicLevel.prototype, { batch, open });
      await open.call(this);
      for (const [key, value] of changes) if (value !== null) await this.put(key, value);
    },
  });
  await t.rejects(disk.write(changes), { name: 'StoreUnavailableError', cause: { message: 'EIO' } });
  t.throws(() => disk.read('a'), StoreUnavailableError, 'nothing is read before it is taken back');
  await disk.recover();
  t.same([disk.read('a'), disk.read('b')], [bytes('old'), undefined]);
});

t.test('embedded: what is due goes by the clock it was given', async (t) => {
  let now = 1_000_000;
  const store = await open(t, t.testdir(), () => now);
  const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(1000));
  t.equal((await store.outlook([])).dueInMs, 1000);
  now += 999;
  t.same(await store.claim(null, 1, 0), []);
  now += 1;
  t.match(await store.claim(null, 1, 500), [{ avatar, version: 2, now }]);
  t.equal((await store.outlook([])).dueInMs, 500);
});
