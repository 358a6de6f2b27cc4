/** What is read of the database, without a change to it: but that what is damaged is moved out of the way. */

import { STATUSES } from '../../domain/avatar.js';
import type { Progress } from '../record.js';
import { isNewer } from '../schema.js';
import type { ListQuery, Place } from '../store.js';
import type { Context } from './context.js';
import type { Value } from './database.js';
import { type AvatarRow, readAvatar, readAvatars } from './rows.js';
import { readSubmission, type Submission } from './submissions.js';

/** An avatar as it goes to the main thread: its document, and what lies beside it. */
export interface Answer {
  readonly id: string;
  readonly doc: Uint8Array;
  readonly progress: Progress;
  readonly version: number;
  readonly now: number;
}

/** How many entries of an index one read goes through at most. */
const MAX_READ = 1000;

export function answerOf({ now }: Context, row: AvatarRow): Answer {
  const { id, doc, status, key_id: keyId, attempt, intent, version } = row;
  return { id, doc, progress: { status, keyId, attempt, intent }, version, now };
}

/** @param caller `null`: whosever it is. 'quarantined': it is damaged */
export function find(cx: Context, caller: string | null, id: string) {
  const found =
    caller === null ? cx.avatar('id = ?', [id]) : cx.avatar('id = ? and caller = ?', [id, caller]);
  if (found !== null) return { ...answerOf(cx, found), ahead: ahead(cx, found) };
  const lost =
    'select 1 from quarantine where id = ?1 and (?2 is null or caller is null or caller = ?2) limit 1';
  return cx.db.sql(lost).get([id, caller]) === undefined ? null : 'quarantined';
}

/** How many stand before it in the queue; `null` where it is not queued. */
function ahead({ db }: Context, { status, tag, seq }: AvatarRow): number | null {
  if (status !== 'queued') return null;
  const text = `select count(*) from avatars where status = 'queued' and (tag, seq) < (?, ?)`;
  return Number(db.sql(text).get([tag, seq])?.[0]);
}

/** The bytes to submit, or where they are; `null` where they are not all there any more. */
export function submission(cx: Context, id: string): Submission | null {
  const row = cx.avatar('id = ?', [id]);
  return row && readSubmission(cx.db, row);
}

/** A page of a list, the newest first; `next`: where it ends, `null` where nothing follows. */
export function list(cx: Context, caller: string | null, query: ListQuery) {
  const { limit } = query;
  const rows: AvatarRow[] = [];
  let behind = query.behind;
  for (let read = 0; rows.length <= limit && read < MAX_READ; ) {
    const seqs = newest(cx, caller, { ...query, behind }, limit + 1);
    const page = seqs.map((seq) => readAvatar(cx.db, 'seq = ?', [seq])).filter((row) => row !== null);
    for (const row of cx.whole(page)) {
      if (!isNewer(row.doc)) rows.push(row);
      behind = { createdAt: row.created, id: row.id };
    }
    read += limit + 1;
    if (seqs.length <= limit) {
      behind = null;
      break;
    }
  }
  const found = rows.slice(0, limit).map((row) => ({ ...answerOf(cx, row), ahead: ahead(cx, row) }));
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const next: Place | null = last === undefined ? behind : { createdAt: last.created, id: last.id };
  return { found, next };
}

/** The first of a list: each status has an index, so that any of them are read from their ends and merged. */
function newest(cx: Context, caller: string | null, query: ListQuery, limit: number): number[] {
  const { externalId, createdAfter, createdBefore, behind } = query;
  const statuses = STATUSES.filter((status) => query.statuses?.includes(status) ?? true);
  const values: Value[] = [createdAfter ?? -1, createdBefore ?? Number.MAX_SAFE_INTEGER];
  const value = (each: Value) => `?${values.push(each)}`;
  const conditions = ['created > ?1', 'created < ?2'];
  if (caller !== null) conditions.push(`caller = ${value(caller)}`);
  if (externalId !== null) conditions.push(`external_id = ${value(externalId.toWellFormed())}`);
  if (behind !== null) conditions.push(`(created, id) < (${value(behind.createdAt)}, ${value(behind.id)})`);
  const count = value(limit);
  const parts = statuses.map(
    (status) => `select * from (select seq, created, id from avatars where status = '${status}'
      and ${conditions.join(' and ')} order by created desc, id desc limit ${count})`,
  );
  if (parts.length === 0) return [];
  const text = `select seq from (${parts.join(' union all ')}) order by created desc, id desc limit ${count}`;
  return cx.db
    .sql(text)
    .all(values)
    .map(([seq]) => Number(seq));
}

/** Those changed behind a place; `after` is `null`: where the feed ends alone. */
export function feed(cx: Context, caller: string | null, after: number | null, limit: number) {
  const last = caller === null ? cx.state.place : cx.caller(caller).changed;
  const changed: (Answer & { readonly at: number })[] = [];
  for (let behind = after; behind !== null && changed.length < limit; ) {
    const where = `${caller === null ? '' : 'caller = ?3 and '}changed > ?1 order by changed limit ?2`;
    const page = readAvatars(cx.db, where, [behind, limit, ...(caller === null ? [] : [caller])]);
    for (const row of cx.whole(page)) {
      if (!isNewer(row.doc) && changed.length < limit)
        changed.push({ ...answerOf(cx, row), at: row.changed });
      behind = row.changed;
    }
    if (page.length < limit) break;
  }
  // Who knows of more than there is knows another database, which this one was before it was put back.
  return { changed, last, whole: after === null || after <= last };
}

export function callers({ tables }: Context): string[] {
  return tables.callers.select('true order by name').map(({ name }) => name);
}

export function outlook(cx: Context, keyIds: readonly string[]) {
  const keys = keyIds.map((keyId) => {
    const due = 'select count(*) from avatars where due_key = ? and due <= ?';
    const first = 'select min(due) from avatars where due_key = ?';
    return [
      keyId,
      {
        slots: cx.counts.slots(keyId, cx.now),
        due: Number(cx.db.sql(due).get([keyId, cx.now])?.[0]),
        dueInMs: delay(cx, cx.db.sql(first).get([keyId])?.[0]),
      },
    ] as const;
  });
  const dueInMs = delay(cx, cx.db.sql('select min(due) from avatars where due_key is null').get([])?.[0]);
  return {
    now: cx.now,
    queued: cx.counts.queued,
    queuedBytes: cx.counts.queuedBytes,
    dueInMs,
    keys: new Map(keys),
  };
}

function delay({ now }: Context, due: Value | undefined): number | null {
  return typeof due === 'number' ? Math.max(0, due - now) : null;
}

/** From one key to the next in the index, rather than through all of it. */
export function keyIds({ db }: Context): string[] {
  const text = `with recursive keys(id) as (select min(due_key) from avatars
    union all select (select min(due_key) from avatars where due_key > keys.id) from keys where keys.id is not null)
    select cast(id as blob) from keys where id is not null`;
  return db.sql(text).all([]).map(String);
}
