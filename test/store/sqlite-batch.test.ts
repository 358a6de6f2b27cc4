/** Calls that share a transaction: each does what it would do alone, whatever becomes of the others and of the disk. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { documentOf } from '../../src/store/record.js';
import { type Call, runCalls } from '../../src/store/sqlite/batch.js';
import { Context } from '../../src/store/sqlite/context.js';
import { Acknowledged, type Database, open } from '../../src/store/sqlite/database.js';
import type { SentRow } from '../../src/store/sqlite/rows.js';
import { avatarOf, CALLER, LONG, SUBMISSION } from './fixtures.js';

const ADMISSION = { dueInMs: LONG, doubtMs: 0, bounds: { maxAvatars: 1e9, maxBytes: 1e12 } };
const NOW = 1_800_000_000_000;

function opened(t: Test) {
  const dir = t.testdir();
  const db = open(dir);
  const acknowledged = new Acknowledged(dir);
  t.teardown(() => {
    db.close();
    acknowledged.close();
  });
  return { dir, db, acknowledged, cx: new Context(db, acknowledged) };
}

function rowOf(avatar: Avatar, change: Partial<SentRow> = {}): SentRow {
  const { id, caller, status, step, mode, attempt, createdAt } = avatar;
  return {
    ...{ id, caller, status, step, mode, attempt, created: createdAt, key_id: null, intent: null },
    ...{
      due_key: null,
      external_id: null,
      task_id: null,
      idempotency: null,
      cost_ms: 10,
      cost_units: 5,
      cost_billed: null,
    },
    doc: documentOf(avatar),
    ...change,
  };
}

const call = (name: Call['name'], ...args: unknown[]): Call => ({ now: NOW, name, args });
const bytes = { bytes: SUBMISSION, size: SUBMISSION.length, sum: 0 };
const admit = (id: string, change: Partial<SentRow> = {}) =>
  call('admit', rowOf(avatarOf({ id }), change), bytes, ADMISSION);
const ids = (db: Database) => db.sql('select cast(id as blob) from avatars order by seq').all([]).map(String);
const commits = (db: Database) => db.sql('select commits from state').get([])?.[0];

/** The database may grow by so many pages; a real "disk is full" beyond. */
function limitPages(db: Database, more: number): () => void {
  const pages = Number(db.sql('pragma page_count').get([])?.[0]);
  db.sql(`pragma max_page_count = ${pages + more}`).get([]);
  return () => void db.sql('pragma max_page_count = 1000000').get([]);
}

t.test('sqlite: what arrived together is one commit, and is told in its order', async (t) => {
  const { db, cx, acknowledged } = opened(t);
  const outcome = runCalls(cx, [admit('av_1'), admit('av_2'), call('remove', 'av_1', 1), admit('av_3')]);
  t.same(
    outcome.changes.map(({ id, version }) => [id, version]),
    [
      ['av_1', 1],
      ['av_2', 1],
      ['av_1', null],
      ['av_3', 1],
    ],
  );
  t.same(ids(db), ['av_2', 'av_3']);
  t.same([commits(db), acknowledged.read()], [1, 1]);
  runCalls(cx, [call('find', CALLER, 'av_2'), call('outlook', [])]);
  t.same([commits(db), acknowledged.read()], [1, 1], 'reads write nothing');
});

t.test('sqlite: one that fails takes no other with it', async (t) => {
  const { db, cx } = opened(t);
  runCalls(cx, [admit('av_0')]);
  // Not a whole number: the table refuses it.
  const wrong = admit('av_2', { cost_ms: 0.5 });
  const outcome = runCalls(cx, [admit('av_1'), wrong, admit('av_3'), call('outlook', [])]);
  t.same(
    outcome.replies.map((reply) => 'value' in reply),
    [true, false, true, true],
  );
  t.same(ids(db), ['av_0', 'av_1', 'av_3']);
  t.same(
    outcome.changes.map(({ id }) => id),
    ['av_1', 'av_3'],
    'told once',
  );
  t.match(outcome.replies[3], { value: { queued: 3, queuedBytes: 3 * SUBMISSION.length } });
});

t.test('sqlite: a full disk fails those that need room, and memory says what the disk says', async (t) => {
  const { db, cx, acknowledged } = opened(t);
  runCalls(cx, [admit('av_1'), admit('av_2')]);
  const free = limitPages(db, 0);
  const prompt = 'x'.repeat(100_000);
  const large = call('admit', rowOf(avatarOf({ id: 'av_3', prompt })), bytes, ADMISSION);
  const outcome = runCalls(cx, [large, call('outlook', []), call('find', CALLER, 'av_1')]);
  t.match(outcome.replies, [
    { error: { message: /full/ } },
    { value: { queued: 2 } },
    { value: { id: 'av_1' } },
  ]);
  t.same(outcome.changes, []);
  t.same([ids(db), commits(db), acknowledged.read()], [['av_1', 'av_2'], 1, 1]);
  free();
  t.match(runCalls(cx, [large, call('outlook', [])]).replies, [
    { value: { kind: 'admitted' } },
    { value: { queued: 3 } },
  ]);
  t.match(runCalls(cx, [call('use', CALLER, '2000-01-01', '2100-01-01')]).replies, [
    { value: [{ reserved: { avatars: 3, units: 15 } }] },
  ]);
});

t.test('sqlite: places grow although the clock went back, and so over a restart', async (t) => {
  const { db, cx, dir, acknowledged } = opened(t);
  const at = (now: number, cx: Context, id: string) =>
    runCalls(cx, [{ ...admit(id), now }]).changes[0]?.at ?? 0;
  const first = at(NOW, cx, 'av_1');
  t.equal(first, NOW * 1000);
  t.equal(at(NOW - LONG, cx, 'av_2'), first + 1);
  t.equal(at(NOW - 2 * LONG, new Context(db, acknowledged), 'av_3'), first + 2, join(dir));
});
