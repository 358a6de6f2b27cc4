/** Avatars are claimed, saved and removed. Each write names the version that it replaces. */

import { holdingsOf } from '../../domain/holdings.js';
import { wholeDelay } from '../delay.js';
import { isNewer } from '../schema.js';
import type { CallTerms, Claim, Save, SaveResult } from '../store.js';
import { Calls, pollShare } from './calls.js';
import type { Context } from './context.js';
import { type Answer, answerOf } from './reads.js';
import { type AvatarRow, FOREVER, type OwnRow, received, type SentRow } from './rows.js';
import { DROPPED } from './submissions.js';

type OwnClaim = Omit<Claim, 'preferred'>;

/** What may be claimed, longest due first. */
export function due(cx: Context, { keyId, overdueMs = 0 }: OwnClaim, limit: number): string[] {
  const where = `due_key ${keyId === null ? 'is null and ?1 is null' : '= ?1'} and due <= ?2 order by due, seq limit ?3`;
  const text = `select cast(id as blob) from avatars where ${where}`;
  return cx.db
    .sql(text)
    .all([keyId, cx.now - overdueMs, limit])
    .map(String);
}

/** Takes due avatars, of those named alone where `ids` are given; see `Store.claim`. */
export function claim(cx: Context, claim: OwnClaim, ids: readonly string[] | null) {
  const { now } = cx;
  const { keyId, limit, slots = 0, overdueMs = 0 } = claim;
  const calls = claim.calls && keyId !== null ? new Calls(cx, keyId, claim.calls, 1) : null;
  const submitWaits = () => cx.counts.queued > 0 && cx.counts.slots(String(keyId), now) < slots;
  const most = calls === null ? limit : Math.min(limit, calls.room, pollShare(calls, submitWaits()));
  const leasedUntil = now + wholeDelay(claim.leaseMs);
  const claimed: Answer[] = [];
  let waitMs: number | null = null;
  for (const id of ids ?? due(cx, claim, limit)) {
    const found = cx.avatar('id = ?', [id]);
    if (found === null || found.due_key !== keyId || found.due > now - overdueMs) continue;
    if (isNewer(found.doc)) {
      cx.put(found, { ...found, due: leasedUntil });
      continue;
    }
    if (claimed.length >= most) {
      waitMs = calls !== null && most < limit ? calls.waitMs(most) : null;
      break;
    }
    const after = { ...found, version: found.version + 1, due: leasedUntil };
    cx.put(found, after);
    claimed.push(answerOf(cx, after));
  }
  if (claimed.length > 0) calls?.take(claimed.length, 0);
  return { claimed, waitMs };
}

/** Takes a call for what no avatar is due for; see `Store.takeCall`. */
export function takeCall(cx: Context, keyId: string, terms: CallTerms): number {
  const calls = new Calls(cx, keyId, terms, 1);
  if (calls.room === 0) return Math.max(1, calls.waitMs(0));
  calls.take(1, calls.inARow);
  return 0;
}

/** See `Store.save`. */
export function save(cx: Context, sent: SentRow, version: number, save: Save): SaveResult {
  const { db, now } = cx;
  const row = received(sent);
  const before = cx.begun(row.id) ?? cx.avatar('id = ?', [row.id]);
  if (before === null) return { saved: false, reason: 'stale' };
  if (before.version === version + 1 && before.saved === before.version && isSame(before, row))
    return { saved: true, version: version + 1 };
  if (before.version !== version || isNewer(before.doc)) return { saved: false, reason: 'stale' };
  const task = row.task_id ?? before.task_id;
  if (task !== null && task !== before.task_id) {
    const owner = db.sql('select 1 from avatars where task_id = ? limit 1').get([task]);
    if (owner !== undefined) return { saved: false, reason: 'task-taken' };
  }
  const changed = save.silent ? before.changed : cx.place(before.caller);
  const next = {
    version: version + 1,
    saved: version + 1,
    due: now + wholeDelay(save.dueInMs),
    task_id: task,
    slot_until: slotUntil(row, save, now),
    changed,
  };
  const after: AvatarRow = Object.assign(
    { ...before },
    row,
    next,
    save.submission === 'drop' ? DROPPED : null,
  );
  cx.put(before, after);
  if (before.status === 'queued' && after.slot_until !== null) cx.serve(after);
  if (!save.silent) cx.tell({ id: row.id, caller: before.caller, version: version + 1, at: changed });
  return { saved: true, version: version + 1 };
}

function slotUntil({ status, key_id: keyId }: OwnRow, { slotForMs }: Save, now: number): number | null {
  if (keyId === null || slotForMs === 0) return null;
  if (slotForMs !== undefined) return now + wholeDelay(slotForMs);
  return holdingsOf({ status, keyId }).slot ? FOREVER : null;
}

/** Whether the same save was made already. */
function isSame(stored: AvatarRow, row: OwnRow): boolean {
  const progress = ['status', 'key_id', 'attempt', 'intent'] as const;
  return progress.every((name) => stored[name] === row[name]) && Buffer.compare(stored.doc, row.doc) === 0;
}

export function remove(cx: Context, id: string, version: number): boolean {
  const found = cx.avatar('id = ?', [id]);
  if (found?.version !== version || isNewer(found.doc)) return false;
  cx.put(found, null);
  cx.tell({ id, caller: found.caller, version: null, at: null });
  return true;
}
