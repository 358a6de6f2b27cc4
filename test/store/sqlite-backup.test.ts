import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { accepted } from '../../src/domain/moves.js';
import { backUp } from '../../src/store/sqlite/backup.js';
import { beginFirst, CALLER, claim, EVERYTHING, LONG } from './fixtures.js';
import { byHand, create, open } from './fixtures-sqlite.js';

t.test('sqlite: a backup is made while the store is used, and a store opens it', async (t) => {
  const dir = t.testdir({ restored: {} });
  const store = await open(t, join(dir, 'data'));
  const idempotency = { key: 'key-1', fingerprint: 'f' };
  for (const id of ['av_1', 'av_2']) await create(store, id);
  await create(store, 'av_3', { idempotency });
  const [begun] = await beginFirst(store, 1);
  if (begun === undefined) throw new Error('one was begun');
  await store.save(accepted(begun.avatar, 'task-1', 0), 2, { dueInMs: LONG, submission: 'drop' });
  const file = join(dir, 'restored', 'avatars.db');
  const writing = Promise.all(Array.from({ length: 50 }, (_, i) => create(store, `av_later_${i}`)));
  const [count] = await Promise.all([backUp(join(dir, 'data'), file), writing]);
  t.ok(count >= 3 && count <= 53, `${count}`);
  t.equal((await stat(file)).mode & 0o777, 0o600);
  t.same(await readdir(join(dir, 'restored')), ['avatars.db']);
  await t.rejects(backUp(join(dir, 'data'), file), { code: 'EEXIST' }, 'it is not written over');
  t.match(await create(store, 'av_after'), { version: 1 });
  t.match(await beginFirst(store, 1), [{ avatar: { id: 'av_2' } }], 'the queue of the store is as it was');

  const restored = await open(t, join(dir, 'restored'));
  t.match(await restored.find(CALLER, 'av_1'), {
    avatar: { status: 'pending', taskId: 'task-1' },
    version: 3,
  });
  t.same(await beginFirst(restored, 99), [], 'what waited may have been submitted since, so it never is');
  const due = await claim(restored, null, 99);
  t.same(
    new Set(due.map(({ avatar }) => `${avatar.status} ${avatar.intent}`)),
    new Set(['submitting backup']),
  );
  t.equal(due.length, count - 1);
  t.match(await create(restored, 'av_again', { idempotency }), { outcome: 'known', avatar: { id: 'av_3' } });
  t.equal((await restored.list(CALLER, { ...EVERYTHING, limit: 99 })).found.length, count);
  await byHand(join(dir, 'restored'), (db) =>
    t.same(db.sql('select count(*) from avatars where submission is not null').get([]), [0]),
  );
});

t.test('sqlite: where there is no database there is no backup, and none is made', async (t) => {
  const dir = t.testdir({ empty: {} });
  await t.rejects(backUp(join(dir, 'empty'), join(dir, 'copy')), { code: 'ENOENT' });
  t.same(await readdir(dir), ['empty']);
});
