/** Avatars come in, wait in the queue, and their submits are begun. */

import type { Spent } from '../../domain/spend.js';
import { wholeDelay } from '../delay.js';
import { isNewer } from '../schema.js';
import type { Admission, Begin } from '../store.js';
import { spentAt } from './accounts.js';
import { takeSubmit } from './calls.js';
import type { Context } from './context.js';
import { type Answer, answerOf } from './reads.js';
import {
  type AvatarRow,
  FOREVER,
  type OwnRow,
  readAvatar,
  readAvatars,
  received,
  type SentRow,
} from './rows.js';
import { readSubmission, type Submission } from './submissions.js';

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
      /** `null` where its caller has no caps. */
      readonly spent: Spent | null;
    };

/** What was begun, and the bytes where they lie in the database. */
export interface Begun {
  readonly begun: readonly (Answer & { readonly submission: Uint8Array | null })[];
  readonly waitMs: number | null;
}

type Unwritten = Omit<OwnRow, 'doc'>;

/** What there is already for an avatar that is to be admitted, or why it is refused; `null`: it can be admitted. */
export function check(cx: Context, row: Unwritten, size: number, admission: Admission): Admitted | null {
  const { db } = cx;
  const same = readAvatar(db, 'id = ?', [row.id]);
  if (same !== null) {
    const [found] = cx.whole([same]);
    if (found === undefined) return { kind: 'quarantined' };
    const begun = found.status === 'submitting' && found.intent === admission.begin?.intent;
    return { kind: 'admitted', answer: answerOf(cx, found), begun, spent: spent(cx, row, admission) };
  }
  if (row.idempotency !== null) {
    const found = cx.avatar('idempotency = ?', [row.idempotency]);
    if (found !== null) return { kind: 'known', answer: answerOf(cx, found) };
    const lost = 'select 1 from quarantine where idempotency = ? limit 1';
    if (db.sql(lost).get([row.idempotency]) !== undefined) return { kind: 'quarantined' };
  }
  return refusal(cx, row, size, admission);
}

function refusal(cx: Context, row: Unwritten, size: number, admission: Admission): Admitted | null {
  const { bounds, caps, maxUnfinished = null } = admission;
  if (maxUnfinished !== null && unfinished(cx, row.caller, maxUnfinished) >= maxUnfinished) {
    return { kind: 'refused', limit: 'unfinished' };
  }
  const units = row.cost_units ?? 0;
  const before = units > 0 ? spent(cx, row, admission) : null;
  for (const span of ['day', 'month'] as const) {
    const cap = caps?.[span] ?? null;
    if (before !== null && cap !== null && before[span] + units > cap)
      return { kind: 'refused', limit: span };
  }
  if (cx.counts.queued + 1 > bounds.maxAvatars) return { kind: 'refused', limit: 'avatars' };
  if (cx.counts.queuedBytes + size > bounds.maxBytes) return { kind: 'refused', limit: 'bytes' };
  return null;
}

/** What a caller spent, where it has caps. */
function spent(cx: Context, { caller, created }: Unwritten, { caps }: Admission): Spent | null {
  const isCapped = caps !== undefined && (caps.day !== null || caps.month !== null);
  return isCapped ? spentAt(cx.tables.accounts, caller, created) : null;
}

/** How many avatars of a caller are unfinished; no more than `limit` are counted. */
function unfinished({ db }: Context, caller: string, limit: number): number {
  const text = `select count(*) from (select 1 from avatars
    where caller = ? and status in ('queued', 'submitting', 'pending', 'processing') limit ?)`;
  return Number(db.sql(text).get([caller, limit])?.[0]);
}

/** Puts a new avatar; see `Store.admit`. */
export function admit(cx: Context, sent: SentRow, submission: Submission, admission: Admission): Admitted {
  const row = received(sent);
  const found = check(cx, row, submission.size, admission);
  if (found !== null) return found;
  const { now } = cx;
  const step = Math.floor(TURN / (admission.share ?? 1));
  const tag = Math.max(cx.state.clock, lastTag(cx, row.caller) + step);
  const { begin } = admission;
  const turn =
    begin !== undefined && row.status === 'queued' && cx.counts.queued === 0
      ? takeSubmit(cx, begin.keys)
      : null;
  const queued = Object.assign(row, {
    seq: 0,
    version: 1,
    saved: 1,
    due: now + wholeDelay(admission.dueInMs),
    tag,
    bytes: submission.size,
    sum: submission.sum,
    file: 'file' in submission ? submission.file : null,
    slot_until: null,
    changed: cx.place(row.caller),
  });
  const begun = begin !== undefined && turn !== null && 'keyId' in turn;
  const after: AvatarRow = begun ? Object.assign(queued, submitting(cx, row, begin, turn.keyId)) : queued;
  cx.put(null, after, 'bytes' in submission ? submission.bytes : null);
  if (begun) cx.serve(after);
  cx.tell({ id: row.id, caller: row.caller, version: 1, at: after.changed });
  return {
    kind: 'admitted',
    answer: { ...answerOf(cx, after), doc: null },
    begun,
    spent: spent(cx, row, admission),
  };
}

/** Begins submits of those that are first in the queue; see `Store.begin`. */
export function begin(cx: Context, begin: Begin, limit: number, large: number): Begun {
  const again = cx.whole(
    readAvatars(cx.db, `status = 'submitting' and intent = ? order by tag, seq`, [begin.intent]),
  );
  if (again.length > 0) return { begun: again.map((row) => begunOf(cx, row)), waitMs: null };
  const begun: AvatarRow[] = [];
  let leftLarge = large;
  for (const row of first(cx, limit)) {
    const fits = begun.length < limit && (row.file === null || leftLarge > 0);
    const turn = fits ? takeSubmit(cx, begin.keys) : null;
    if (turn === null) break;
    if (row.file !== null) leftLarge -= 1;
    if ('waitMs' in turn) return { begun: begun.map((row) => begunOf(cx, row)), waitMs: turn.waitMs };
    const version = row.version + 1;
    const changed = cx.place(row.caller);
    const after = { ...row, ...submitting(cx, row, begin, turn.keyId), version, saved: version, changed };
    cx.put(row, after);
    cx.serve(after);
    cx.tell({ id: row.id, caller: row.caller, version, at: changed });
    begun.push(after);
  }
  return { begun: begun.map((row) => begunOf(cx, row)), waitMs: null };
}

function begunOf(cx: Context, row: AvatarRow): Begun['begun'][number] {
  const submission = readSubmission(cx.db, row);
  return {
    ...answerOf(cx, row),
    submission: submission !== null && 'bytes' in submission ? submission.bytes : null,
  };
}

function submitting(
  { now }: Context,
  row: Pick<AvatarRow, 'attempt'>,
  { intent, leaseMs }: Begin,
  keyId: string,
) {
  const attempt = row.attempt + 1;
  return {
    status: 'submitting',
    key_id: keyId,
    attempt,
    intent,
    slot_until: FOREVER,
    due: now + wholeDelay(leaseMs),
  } as const;
}

/**
 * Those that are first in the queue and can be read, a page at a time; without those that are due, or claimed as such: they have
 * waited for as long as they may.
 */
function* first(cx: Context, limit: number): Iterable<AvatarRow> {
  let [tag, seq] = [-1, -1];
  for (;;) {
    const where = `status = 'queued' and (tag, seq) > (?, ?) order by tag, seq limit ?`;
    const page = readAvatars(cx.db, where, [tag, seq, Math.min(limit, PAGE)]);
    const last = page.at(-1);
    if (last === undefined) return;
    const rows = cx.whole(page);
    for (const row of rows) {
      const mayStart = row.due > cx.now && row.version === row.saved;
      if (row.status === 'queued' && mayStart && !isNewer(row.doc)) yield row;
    }
    [tag, seq] = 'damaged' in last ? [Number(last.row.tag), last.seq] : [last.tag, last.seq];
  }
}

/**
 * Start-time fair queuing at unit cost (Goyal, Vin and Cheng 1996). An avatar's tag is a step behind that of its caller's last,
 * queued or submitted, and not behind the clock, which is the highest tag that was submitted: so callers take turns, who
 * comes new is served next, and what leaves the queue unsubmitted leaves its turn to the caller's next.
 */
function lastTag(cx: Context, caller: string): number {
  const { served } = cx.caller(caller);
  if (cx.counts.queued === 0) return served;
  const text = `select coalesce(max(tag), 0) from avatars where status = 'queued' and caller = ?`;
  return Math.max(served, Number(cx.db.sql(text).get([caller])?.[0]));
}
