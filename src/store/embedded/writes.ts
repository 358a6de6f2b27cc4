/** The transactions that write an avatar: create, save, remove. Each checks everything before it changes anything. */

import { type Avatar, isFinal } from '../../domain/avatar.js';
import { type Spent, spendStateOf } from '../../domain/spend.js';
import { standingOf } from '../../domain/standing.js';
import { checkCaps, maxUnfinishedFor } from '../accounts.js';
import { wholeDelay } from '../delay.js';
import { callerDigest, externalDigest } from '../digests.js';
import { keyDigest } from '../idempotency.js';
import { entryOf } from '../pages.js';
import { stepOf } from '../shares.js';
import { AvatarExistsError, CallerLimitError, type Creation, type Save, type SaveResult } from '../store.js';
import { count, spentBeside } from './accounts.js';
import type { Transaction } from './commit.js';
import type { Engine } from './engine.js';
import {
  avatarKey,
  decodeSubmission,
  dueKey,
  encodeSubmission,
  idempotencyKey,
  type Listing,
  type Meta,
  metaKey,
  type SubmissionFile,
  submissionKey,
  taskKey,
} from './keys.js';
import { readMeta, readRecord, relist, schedule } from './records.js';

/**
 * Whether an avatar with so many bytes can be created: the id of the one that has its idempotency key, `null` where it can.
 * @throws AvatarExistsError, CallerLimitError, QueueFullError
 */
export function ownerOrRoom(
  { queue, unfinished }: Engine,
  tx: Transaction,
  avatar: Avatar,
  bytes: number,
  creation: Creation,
): string | null {
  const { id, caller, idempotency } = avatar;
  if (readRecord(tx, id) !== null) throw new AvatarExistsError(id);
  const key = idempotency && keyDigest(caller, idempotency.key);
  const owner = key === null ? undefined : tx.get(idempotencyKey(key))?.toString();
  if (owner !== undefined) return owner;
  const mayBe = maxUnfinishedFor(avatar, creation);
  if (mayBe !== null && unfinished.count(callerDigest(caller)) >= mayBe) {
    throw new CallerLimitError('unfinished');
  }
  checkCaps(avatar, spentBeside(tx, avatar), creation.caps);
  if (standingOf(avatar).queued) queue.checkRoom(creation.bounds, bytes);
  return null;
}

/** A save that was made, and the place of the change; `null` where it is none for callers. */
export type Saving =
  | Exclude<SaveResult, { saved: true }>
  | { saved: true; version: number; at: number | null };

/** The place of the change, and what the caller has spent with it. */
export interface Creating {
  readonly at: number;
  readonly spent: Spent;
}

/** Of an avatar that {@link ownerOrRoom} has nothing against, in the same transaction. */
export function create(
  { queue, unfinished, places, now }: Engine,
  tx: Transaction,
  avatar: Avatar,
  record: Buffer,
  submission: SubmissionFile,
  { dueInMs, share = 1 }: Creation,
): Creating {
  const { id, caller, idempotency } = avatar;
  const { bytes } = submission;
  const key = idempotency && keyDigest(caller, idempotency.key);
  const due = now() + wholeDelay(dueInMs);
  const tag = queue.nextTag(caller, stepOf(share));
  const digest = callerDigest(caller);
  const at = places.take(tx, caller, now());
  const listing = listingOf(avatar, digest, at);
  const meta: Meta = { version: 1, due, lane: null, task: null, key, tag, bytes, listing };
  if (key !== null) tx.put(idempotencyKey(key), Buffer.from(id));
  tx.put(avatarKey(id), record);
  tx.put(submissionKey(id), encodeSubmission(submission));
  schedule(tx, id, null, meta);
  if (standingOf(avatar).queued) queue.enter(tx, id, { caller, tag, bytes });
  if (!isFinal(avatar.status)) unfinished.enter(tx, id, digest);
  count(tx, avatar, 'released', spendStateOf(avatar.status));
  return { at, spent: spentBeside(tx, avatar) };
}

export function save(
  engine: Engine,
  tx: Transaction,
  avatar: Avatar,
  record: Buffer,
  version: number,
  { dueInMs, submission, slots, slotForMs = 0, silent = false }: Save,
): Saving {
  const { id, caller, taskId, keyId } = avatar;
  const before = readMeta(tx, id);
  if (before?.version !== version) return { saved: false, reason: 'stale' };
  const owner = taskId === null ? undefined : tx.get(taskKey(taskId))?.toString();
  if (owner !== undefined && owner !== id) return { saved: false, reason: 'task-taken' };
  const now = engine.now();
  const { queued, slot, lane } = standingOf(avatar);
  if (slot && keyId !== null && slots !== undefined && !engine.slots.holds(keyId, id, now)) {
    if (engine.slots.count(keyId, now) >= slots) return { saved: false, reason: 'no-slot' };
  }

  const digest = callerDigest(caller);
  const at = silent ? null : engine.places.take(tx, caller, now);
  const after: Meta = {
    ...before,
    version: version + 1,
    due: now + wholeDelay(dueInMs),
    lane,
    task: taskId ?? before.task,
    bytes: submission === 'drop' ? 0 : before.bytes,
    listing: listingOf(avatar, digest, at ?? before.listing?.changedAt ?? null),
  };
  tx.put(avatarKey(id), record);
  schedule(tx, id, before, after);
  if (taskId !== null) tx.put(taskKey(taskId), Buffer.from(id));
  if (submission === 'drop') dropSubmission(engine, tx, id);
  if (lane !== null) engine.slots.noteLane(tx, lane);

  const heldUntil = slot ? Number.POSITIVE_INFINITY : now + wholeDelay(slotForMs);
  engine.slots.release(tx, id);
  if (keyId !== null && heldUntil > now) engine.slots.hold(tx, keyId, id, heldUntil);
  if (queued) engine.queue.enter(tx, id, { caller, tag: after.tag, bytes: after.bytes });
  else engine.queue.leave(tx, id, slot);
  if (isFinal(avatar.status)) engine.unfinished.leave(tx, id);
  else engine.unfinished.enter(tx, id, digest);
  // A release that had no lists counted nothing.
  if (before.listing !== null) {
    count(tx, avatar, spendStateOf(before.listing.status), spendStateOf(avatar.status));
  }
  return { saved: true, version: version + 1, at };
}

/** Says whose it was; `null` where it was not there at that version, or cannot be read. */
export function remove(engine: Engine, tx: Transaction, id: string, version: number): string | null {
  const { slots, queue, unfinished } = engine;
  const found = readRecord(tx, id);
  if (found === null || found instanceof Error || found.meta.version !== version) return null;
  const { avatar, meta } = found;
  for (const key of [avatarKey(id), metaKey(id), dueKey(meta, id)]) tx.del(key);
  relist(tx, id, meta.listing, null);
  dropSubmission(engine, tx, id);
  if (meta.task !== null) tx.del(taskKey(meta.task));
  if (meta.key !== null) tx.del(idempotencyKey(meta.key));
  slots.release(tx, id);
  queue.leave(tx, id, false);
  unfinished.leave(tx, id);
  // What was not sent costs nothing, whoever takes it back.
  if (avatar.status === 'queued') count(tx, avatar, 'reserved', 'released');
  return avatar.caller;
}

function listingOf(avatar: Avatar, caller: string, changedAt: number | null): Listing {
  const { id, status, externalId, createdAt } = avatar;
  return {
    caller,
    status,
    externalId: externalId === null ? null : externalDigest(externalId),
    entry: entryOf({ createdAt, id }),
    changedAt,
  };
}

function dropSubmission({ media }: Engine, tx: Transaction, id: string): void {
  const value = tx.get(submissionKey(id));
  const submission = value === undefined ? null : decodeSubmission(value);
  tx.del(submissionKey(id));
  if (submission !== null) tx.afterwards(() => media.remove(submission.file));
}
