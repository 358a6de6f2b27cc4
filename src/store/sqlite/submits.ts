/** Avatars come in, wait in the queue, and their submits are begun. */

import type { Spent } from '../../domain/spend.js';
import { isNewer } from '../schema.js';
import type { Admission, Begin } from '../store.js';
import { spentAt } from './accounts.js';
import type { Context } from './context.js';
import { KeyTurns } from './keys.js';
import { type Answer, answerOf } from './reads.js';
import { type AvatarRow, FOREVER, type OwnRow, readAvatar, readAvatars } from './rows.js';
import { readSubmission, type Submission, writeSubmission } from './submissions.js';

/** A turn in the queue, in the parts in which tags are counted: shares divide it. */
const TURN = 65_536;
/** How many avatars of the queue are read at once. */
const PAGE = 64;

export type Admitted =
  | { readonly kind: 'refused'; readonly limit: 'avatars' | 'bytes' | 'unfinished' | 'day' | 'month' }
  /** The caller's key, or the id, names an avatar that is damaged. */
  | { readonly kind: 'quarantined' }
  | { readonly kind: 'known'; readonly answer: Answer }
  | {
      readonly kind: 'admitted';
      /** Without the document where it was admitted now. */
      readonly answer: Omit<Answer, 'doc'> & { readonly doc: Uint8Array | null };
      readonly begun: boolean;
      readonly spent: Spent;
    };

/** What was begun, and the bytes where they lie in the database. */
export interface Begun {
  readonly begun: readonly (Answer & { readonly submission: Uint8Array | null })[];
  readonly waitMs: number | null;
}

/** What there is already for an avatar that is to be admitted, or why it is refused; `null`: it can be admitted. */
export function check(cx: Context, row: OwnRow, size: number, admission: Admission): Admitted | null {
  const { db } = cx;
  const same = readAvatar(db, 'id = ?', [row.id]);
  if (same !== null) {
    const [found] = cx.whole([same]);
    if (found === undefined) return { kind: 'quarantined' };
    const begun = found.status === 'submitting' && found.intent === admission.begin?.intent;
    return {
      kind: 'admitted',
      answer: answerOf(cx, found),
      begun,
      spent: spentAt(db, row.caller, row.created),
    };
  }
  if (row.idempotency !== null) {
    const known = readAvatar(db, 'idempotency = ?', [row.idempotency]);
    const [found] = known === null ? [] : cx.whole([known]);
    if (found !== undefined) return { kind: 'known', answer: answerOf(cx, found) };
    const lost = 'select 1 from quarantine where idempotency = ? limit 1';
    if (db.sql(lost).get([row.idempotency]) !== undefined) return { kind: 'quarantined' };
  }
  return refusal(cx, row, size, admission);
}

function refusal(cx: Context, row: OwnRow, size: number, admission: Admission): Admitted | null {
  const { bounds, caps, maxUnfinished = null } = admission;
  if (maxUnfinished !== null && unfinished(cx, row.caller, maxUnfinished) >= maxUnfinished) {
    return { kind: 'refused', limit: 'unfinished' };
  }
  const units = row.cost_units ?? 0;
  if (units > 0 && caps !== undefined) {
    const spent = spentAt(cx.db, row.caller, row.created);
    for (const span of ['day', 'month'] as const) {
      const cap = caps[span];
      if (cap !== null && spent[span] + units > cap) return { kind: 'refused', limit: span };
    }
  }
  if (cx.queue.avatars + 1 > bounds.maxAvatars) return { kind: 'refused', limit: 'avatars' };
  if (cx.queue.bytes + size > bounds.maxBytes) return { kind: 'refused', limit: 'bytes' };
  return null;
}

/** How many avatars of a caller are unfinished; no more than `limit` are counted. */
function unfinished({ db }: Context, caller: string, limit: number): number {
  const text = `select count(*) from (select 1 from avatars
    where caller = ? and status in ('queued', 'submitting', 'pending', 'processing') limit ?)`;
  return Number(db.sql(text).get([caller, limit])?.[0]);
}

/** Puts a new avatar; see `Store.admit`. */
export function admit(cx: Context, row: OwnRow, submission: Submission, admission: Admission): Admitted {
  const found = check(cx, row, submission.size, admission);
  if (found !== null) return found;
  const { db, now } = cx;
  const step = Math.floor(TURN / (admission.share ?? 1));
  const tag = Math.max(cx.state.clock, lastTag(cx, row.caller) + step);
  const { begin } = admission;
  const turn =
    begin !== undefined && row.status === 'queued' && cx.queue.avatars === 0
      ? new KeyTurns(cx, begin.keys).take()
      : null;
  const queued = {
    ...row,
    version: 1,
    saved: 1,
    due: now + admission.dueInMs,
    tag,
    bytes: submission.size,
    slot_until: null,
    changed: cx.place(row.caller),
  };
  const after =
    begin !== undefined && turn !== null && 'keyId' in turn
      ? { ...queued, ...submitting(row, begin, turn.keyId), due: now + begin.leaseMs }
      : queued;
  const seq = cx.put(null, after);
  writeSubmission(db, seq, submission);
  const begun = after !== queued;
  if (begun) cx.serve(after);
  cx.tell({ id: row.id, caller: row.caller, version: 1, at: after.changed });
  return {
    kind: 'admitted',
    answer: { ...answerOf(cx, { ...after, seq }), doc: null },
    begun,
    spent: spentAt(db, row.caller, row.created),
  };
}

/** Begins submits of those that are first in the queue; see `Store.begin`. */
export function begin(cx: Context, begin: Begin, limit: number): Begun {
  const again = cx.whole(
    readAvatars(cx.db, `status = 'submitting' and intent = ? order by tag, seq`, [begin.intent]),
  );
  if (again.length > 0) return { begun: again.map((row) => begunOf(cx, row)), waitMs: null };
  const keys = new KeyTurns(cx, begin.keys);
  const begun: AvatarRow[] = [];
  for (const row of first(cx, limit)) {
    const turn = begun.length < limit ? keys.take() : null;
    if (turn === null) break;
    if ('waitMs' in turn) return { begun: begun.map((row) => begunOf(cx, row)), waitMs: turn.waitMs };
    const version = row.version + 1;
    const changed = cx.place(row.caller);
    const after = {
      ...row,
      ...submitting(row, begin, turn.keyId),
      version,
      saved: version,
      due: cx.now + begin.leaseMs,
      changed,
    };
    cx.put(row, after);
    cx.serve(after);
    cx.tell({ id: row.id, caller: row.caller, version, at: changed });
    begun.push(after);
  }
  return { begun: begun.map((row) => begunOf(cx, row)), waitMs: null };
}

function begunOf(cx: Context, row: AvatarRow): Begun['begun'][number] {
  const submission = readSubmission(cx.db, row.seq);
  return {
    ...answerOf(cx, row),
    submission: submission !== null && 'bytes' in submission ? submission.bytes : null,
  };
}

function submitting(row: Pick<AvatarRow, 'attempt'>, { intent }: Begin, keyId: string) {
  const status = 'submitting' as const;
  return { status, key_id: keyId, attempt: row.attempt + 1, intent, slot_until: FOREVER };
}

/** Those that are first in the queue and can be read, a page at a time. */
function* first(cx: Context, limit: number): Iterable<AvatarRow> {
  let [tag, seq] = [-1, -1];
  for (;;) {
    const where = `status = 'queued' and (tag, seq) > (?, ?) order by tag, seq limit ?`;
    const page = readAvatars(cx.db, where, [tag, seq, Math.min(limit, PAGE)]);
    const last = page.at(-1);
    if (last === undefined) return;
    const rows = cx.whole(page);
    for (const row of rows) if (row.status === 'queued' && !isNewer(row.doc)) yield row;
    [tag, seq] = 'damaged' in last ? [Number(last.guess('tag')), last.seq] : [last.tag, last.seq];
  }
}

/**
 * Start-time fair queuing at unit cost (Goyal, Vin and Cheng 1996). An avatar's tag is a step behind that of its caller's last,
 * queued or submitted, and not behind the clock, which is the highest tag that was submitted: so callers take turns, who
 * comes new is served next, and what leaves the queue unsubmitted leaves its turn to the caller's next.
 */
function lastTag(cx: Context, caller: string): number {
  const text = `select coalesce(max(tag), 0) from avatars where status = 'queued' and caller = ?`;
  return Math.max(cx.caller(caller).served, Number(cx.db.sql(text).get([caller])?.[0]));
}
