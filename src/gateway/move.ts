import type { Avatar } from '../domain/avatar.js';
import type { Save, SaveResult } from '../store/store.js';
import type { Ports } from './ports.js';

/** An avatar as it will be, and the write that makes it so. */
export interface Move extends Save {
  readonly avatar: Avatar;
  /** It comes to its end by this write, rather than having been there before. */
  readonly ends?: true;
}

/** The write that ends an avatar: nothing is left to submit, and it is due when its next step is. */
export function ending(avatar: Avatar, retentionMs: number): Move {
  return { avatar, dueInMs: avatar.step === 'expire' ? retentionMs : 0, submission: 'drop', ends: true };
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

/** The write that puts an avatar (back) in the queue: it is due when it has waited too long. */
export function waiting({ settings }: Pick<Ports, 'settings'>, avatar: Avatar, now: number): Move {
  const dueInMs = Math.max(0, avatar.createdAt + settings.queueTimeoutMs - now);
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
