import { setTimeout as pause } from 'node:timers/promises';
import type { Avatar } from '../domain/avatar.js';
import { backoffMs } from '../domain/schedule.js';
import { type Save, type SaveResult, StoreUnavailableError } from '../store/store.js';
import type { Ports } from './ports.js';

/** An avatar as it will be, and when it is due then. */
export interface Move extends Save {
  readonly avatar: Avatar;
}

/** The write that ends an avatar: nothing is left to submit, and the record is due when it expires. */
export function ending(avatar: Avatar, retentionMs: number): Move {
  return { avatar, dueInMs: retentionMs, submission: 'drop' };
}

/**
 * Writes what Modellix answered. The answer was paid for, so while the store is away it is kept and tried again,
 * until it is written, a newer version stands, or the process is told to stop.
 * @throws {StoreUnavailableError} when it was told to stop first
 */
export async function writeAnswer(
  { store, log, random, stopping }: Ports,
  version: number,
  move: Move,
): Promise<SaveResult> {
  for (let failures = 1; ; failures++) {
    try {
      return await store.save(move.avatar, version, move);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || stopping.aborted) throw error;
      log.warn({ avatarId: move.avatar.id, failures }, 'an answer of Modellix waits for the store');
      await pause(backoffMs(failures, random()), undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}
