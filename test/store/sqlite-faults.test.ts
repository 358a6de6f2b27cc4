/** The store of SQLite where its process, its disk or its directory is not as it should be. */

import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { accepted, requeued } from '../../src/domain/moves.js';
import { dayOf } from '../../src/domain/spend.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { StoreLockedError, StoreUnavailableError } from '../../src/store/store.js';
import {
  avatarOf,
  beginFirst,
  CALLER,
  claim,
  dueIn,
  EVERYTHING,
  idsOf,
  KEY,
  LONG,
  SUBMISSION,
} from './fixtures.js';
import { byHand, child, create, open } from './fixtures-sqlite.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;

t.test('sqlite: everything is there again after a restart', async (t) => {
  const dir = join(t.testdir(), 'made', 'for', 'it');
  const first = await open(t, dir);
  const spend = { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null };
  for (const id of ['av_1', 'av_2', 'av_3', 'av_4'])
    await create(first, id, { spend, createdAt: Date.now() });
  const [one, two] = await beginFirst(first, 2);
  if (one === undefined || two === undefined) throw new Error('two were begun');
  const pending = accepted(one.avatar, 'task-1', 0);
  await first.save(pending, 2, { dueInMs: 0, submission: 'drop' });
  await first.swap('a', 0, 'text');
  const all = async (store: typeof first) => ({
    ...{ outlook: { ...(await store.outlook([KEY])), now: 0, dueInMs: 0 }, keys: await store.keyIds() },
    list: (await store.list(CALLER, EVERYTHING)).found.map(({ avatar, version, ahead }) => ({
      avatar,
      version,
      ahead,
    })),
    feed: (await store.feed(CALLER, 0, 9)).changed.map(({ avatar, at }) => [avatar.id, at]),
    ...{ use: await store.use(CALLER, dayOf(0), dayOf(9e12)), document: (await store.document('a')).value },
    submissions: await Promise.all(['av_1', 'av_2', 'av_3'].map((id) => store.submission(id))),
  });
  const before = await all(first);
  t.match(before, {
    outlook: { queued: 2 },
    keys: [KEY],
    document: 'text',
    submissions: [null, SUBMISSION, SUBMISSION],
  });
  await first.close();
  t.same((await readdir(dir)).toSorted(), ['avatars.acknowledged', 'avatars.db', 'avatars.lock', 'media']);

  const second = await open(t, dir);
  t.same(await all(second), before);
  t.match(await claim(second, KEY, 9), [{ avatar: pending, version: 4 }]);
  const taken = await second.save({ ...two.avatar, taskId: 'task-1' }, 2, KEEP);
  t.same(taken, { saved: false, reason: 'task-taken' });
  await create(second, 'av_5');
  await second.save(requeued(two.avatar), 2, KEEP);
  t.same(idsOf(await beginFirst(second, 9, 'key-2')), ['av_2', 'av_3', 'av_4', 'av_5'], 'its old place');
  t.equal((await stat(dir)).mode & 0o777, 0o700);
});

t.test(
  'sqlite: a second process is refused, with a clear line; one that was killed is not in the way',
  async (t) => {
    const dir = t.testdir();
    const other = child(t, 'create', dir);
    const id = String(await other.says());
    const message = `the data directory ${dir} is in use by another process`;
    await t.rejects(openSqliteStore({ dir }), new StoreLockedError(dir));
    t.equal(await child(t, 'open', dir).says(), `StoreLockedError: ${message}`);
    await other.kill();
    const store = await open(t, dir);
    t.match(await store.find(CALLER, id), { version: 1 }, 'an avatar that was admitted outlives kill -9');
    t.same(await store.submission(id), SUBMISSION);
    await t.rejects(openSqliteStore({ dir }), new StoreLockedError(dir), 'nor by the same process');
  },
);

t.test('sqlite: anyone can look in while it is open', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  for (const id of ['av_1', 'av_2', 'av_3']) await create(store, id);
  await beginFirst(store, 1);
  const counts = 'select cast(status as blob), count(*) from avatars group by status order by status';
  const found = await byHand(dir, (db) => db.sql(counts).all([]));
  t.same(
    found.map(([status, count]) => [String(status), count]),
    [
      ['queued', 2],
      ['submitting', 1],
    ],
  );
  t.match(await create(store, 'av_4'), { version: 1 });
});

t.test('sqlite: while another program writes it is unavailable, and then as it was', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  await create(store, 'av_1');
  await byHand(dir, async (db) => {
    db.exec('begin immediate');
    const results = await Promise.allSettled([create(store, 'av_2'), store.remove('av_1', 1), store.ping()]);
    for (const result of results)
      t.match(result, { status: 'rejected', reason: { name: 'StoreUnavailableError' } });
    db.exec('rollback');
  });
  t.match(await store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
  t.match(await create(store, 'av_2'), { version: 1 });
});

t.test('sqlite: a directory that cannot be is unavailable, and the reason is kept', async (t) => {
  const file = join(t.testdir({ file: 'a file' }), 'file');
  await t.rejects(openSqliteStore({ dir: file }), {
    name: 'StoreUnavailableError',
    cause: { code: 'EEXIST' },
  });
  await t.rejects(openSqliteStore({ dir: join(file, 'below') }), {
    name: 'StoreUnavailableError',
    cause: { code: 'ENOTDIR' },
  });
  const dir = join(t.testdir(), 'data');
  await mkdir(join(dir, 'avatars.db'), { recursive: true });
  await t.rejects(openSqliteStore({ dir }), StoreUnavailableError);
});

t.test('sqlite: a directory of an earlier release is left alone, and named', async (t) => {
  const dir = t.testdir({ tasks: { CURRENT: 'MANIFEST-000002\n' } });
  await t.rejects(openSqliteStore({ dir }), {
    name: 'StoreUnavailableError',
    message: `${join(dir, 'tasks')} holds avatars of an earlier release, which this one cannot read: let that release finish them, then move ${join(dir, 'tasks')} away`,
  });
  t.same(await readdir(dir), ['tasks']);
  t.equal(await readFile(join(dir, 'tasks', 'CURRENT'), 'utf8'), 'MANIFEST-000002\n');
});

for (const [task, least] of [
  ['fill-records', 5],
  ['fill-media', 1],
] as const) {
  t.test(`sqlite: a full disk refuses, loses nothing, and is used again: ${task}`, async (t) => {
    const dir = t.testdir();
    const filling = child(t, task, dir);
    const { refused, error } = (await filling.says()) as { refused: string; error: string };
    t.match(error, /^StoreUnavailableError: the data directory cannot be written/);
    const { found, files } = (await filling.says()) as { found: unknown; files: string[] };
    t.equal(found, null);
    t.same(files, [], 'nothing is left of the refused one');
    const { created } = (await filling.says()) as { created: string[] };
    t.ok(created.length >= least, `${created.length} created`);
    const store = await open(t, dir);
    for (const id of created) {
      t.match(await store.find(CALLER, id), { version: 1 });
      t.same(await store.submission(id), SUBMISSION);
    }
    t.equal(await store.find(CALLER, refused), null);
  });
}

t.test('sqlite: kill -9 amid admissions leaves what is reserved for those that are there', async (t) => {
  const dir = t.testdir();
  const other = child(t, 'spend', dir);
  const said: unknown[] = [];
  while (said.length < 100) said.push(await other.says());
  await other.kill();
  const store = await open(t, dir);
  const { found, next } = await store.list(CALLER, { ...EVERYTHING, limit: 100_000 });
  t.equal(next, null);
  const ids = new Set(idsOf(found));
  t.ok(
    said.every((id) => ids.has(String(id))),
    'all that was said is there',
  );
  const use = await store.use(CALLER, dayOf(0), dayOf(9e12));
  t.equal(
    use.reduce((sum, each) => sum + each.reserved.avatars, 0),
    found.length,
  );
});

t.test('sqlite: what is due goes by the clock it was given', async (t) => {
  let now = 1_000_000;
  const store = await openSqliteStore({ dir: t.testdir(), now: () => now });
  t.teardown(() => store.close());
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(1000));
  t.equal((await store.outlook([])).dueInMs, 1000);
  now += 999;
  t.same(await claim(store, null, 1, 0), []);
  now += 1;
  t.match(await claim(store, null, 1, 500), [{ avatar, version: 2, now }]);
  t.equal((await store.outlook([])).dueInMs, 500);
});

t.test('sqlite: months are forgotten when they are old enough, and no sooner', async (t) => {
  const dir = t.testdir();
  const first = await open(t, dir);
  const spend = { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null };
  await create(first, 'av_1', { spend, createdAt: Date.now() });
  await first.close();
  for (const [days, rows] of [
    [400, 1],
    [432, 0],
  ] as const) {
    const store = await openSqliteStore({ dir, now: () => Date.now() + days * 86_400_000 });
    t.equal((await store.use(CALLER, dayOf(0), dayOf(9e12))).length, rows);
    await store.close();
  }
});
