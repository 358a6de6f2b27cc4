/** Writing an avatar: what every step and every verb has in common. */

import type { Avatar } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import { ProblemError, type ProblemSlug } from '../problems.js';
import type { Save, SaveResult, Stored } from '../store/store.js';
import { type Ports, storeClock } from './ports.js';

/** An avatar as it will be, and the write that makes it so. */
export interface Move extends Save {
  readonly avatar: Avatar;
  /** It comes to its end by this write, rather than having been there before. */
  readonly ends?: true;
}

/** How often a caller's change is tried over a record that somebody else is writing. */
const ATTEMPTS = 3;

/** The write that ends an avatar: nothing is left to submit, and it is due when its next step is. */
export function ending(avatar: Avatar): Move {
  const { step, completedAt, expiresAt } = avatar;
  const retentionMs = (expiresAt ?? 0) - (completedAt ?? 0);
  return { avatar, dueInMs: step === 'expire' ? retentionMs : 0, submission: 'drop', ends: true };
}

/** The write of a step behind the end. A slot that is held for a task nobody knows of stays held. */
export function past({ settings }: Pick<Ports, 'settings'>, avatar: Avatar, now: number): Move {
  const { status, step, expiresAt, completedAt } = avatar;
  const holdMs = (completedAt ?? now) + settings.unconfirmedHoldMs - now;
  return {
    avatar,
    dueInMs: step === 'expire' ? Math.max(0, (expiresAt ?? now) - now) : 0,
    submission: 'drop',
    ...(status === 'unconfirmed' && holdMs > 0 && { slotForMs: holdMs }),
  };
}

/** When an avatar in the queue has waited for as long as it may, on the store's clock. */
export function waitsUntil(
  { queueTimeoutMs }: Pick<Ports['settings'], 'queueTimeoutMs'>,
  { createdAt, startBy }: Avatar,
): number {
  return Math.min(createdAt + queueTimeoutMs, startBy ?? Number.POSITIVE_INFINITY);
}

/** The write that puts an avatar (back) in the queue: it is due when it has waited too long. */
export function waiting({ settings }: Pick<Ports, 'settings'>, avatar: Avatar, now: number): Move {
  const dueInMs = Math.max(0, waitsUntil(settings, avatar) - now);
  return { avatar, dueInMs, submission: 'keep' };
}

/** Removes a record that is still at `version`, and its video where that was kept. Says whether it did. @throws {StoreUnavailableError} */
export async function erase(
  { store, videos }: Pick<Ports, 'store' | 'videos'>,
  { id }: Avatar,
  version: number,
): Promise<boolean> {
  const isRemoved = await store.remove(id, version);
  if (isRemoved) await videos?.remove(id);
  return isRemoved;
}

/**
 * Writes a move over the record at `version`. An end is counted and logged here, once, by whoever brought it about.
 * @throws {StoreUnavailableError} when it may or may not be written
 */
export async function write(
  ports: Ports,
  version: number,
  { avatar, ends, ...save }: Move,
): Promise<SaveResult> {
  const written = await ports.store.save(avatar, version, save);
  if (written.saved && ends === true) {
    const { id, status, attempt, polls } = avatar;
    ports.counts.ended(status);
    ports.log.info({ avatarId: id, status, attempt, polls }, 'avatar ended');
  }
  return written;
}

/** Leaves a claimed avatar to a later claim, as it is or with what was learned. No caller sees it. @throws {StoreUnavailableError} */
export function postpone(
  ports: Ports,
  stored: Stored,
  dueInMs: number,
  avatar = stored.avatar,
): Promise<SaveResult> {
  const move = past(ports, avatar, storeClock(stored)());
  return write(ports, stored.version, { ...move, dueInMs, silent: true });
}

/**
 * Changes an avatar for a caller, over the record as it is then.
 * @param change returns `null` where somebody else wrote the record meanwhile, and is then run again on the newer one
 * @param busy the problem where that happens each time
 * @throws {ProblemError} `not-found`, `busy` and those of `change`
 * @throws {StoreUnavailableError} when it is not known whether it was changed: asking again is safe
 */
export async function changeFor<T>(
  { store }: Ports,
  scope: Scope,
  id: string,
  busy: ProblemSlug,
  change: (stored: Stored) => Promise<T | null>,
): Promise<T> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const changed = await change(existing(await store.find(scope, id)));
    if (changed !== null) return changed;
  }
  const detail = 'The avatar is being changed by something else. Try again.';
  throw new ProblemError(busy, detail, { headers: { 'retry-after': '1' } });
}

/** @throws {ProblemError} `not-found` */
export function existing<T>(found: T | null): T {
  if (found === null) throw new ProblemError('not-found', 'No avatar of yours has this id.');
  return found;
}
