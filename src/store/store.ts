/**
 * The store port. Two adapters implement it (LevelDB in one process, Redis for any number) and one contract
 * suite, `test/store/contract.ts`, holds both to it.
 *
 * In the contract:
 * - Every write is one atomic change of record, version, due time, submission and indexes together, and is as
 *   durable as the adapter is configured to be before its promise resolves.
 * - `version` is the fence. It grows with every claim and every save; a write that carries another version than
 *   the stored one changes nothing.
 * - Time is the store's: delays go in, the store's clock comes out (`now`), so replicas whose clocks disagree
 *   agree on what is due.
 * - What the store cannot do now throws {@link StoreUnavailableError}. "Not found" is said only of what is not there.
 * - A record that cannot be decoded is set aside, counted and out of the way of the others; one written by a
 *   newer release is left as it is.
 *
 * Not in the contract: what a status means, who may do what, retries, and what an avatar is worth. Those belong
 * to the domain and the gateway.
 */

import type { Avatar } from '../domain/avatar.js';

/** An avatar as it stands in the store. `now` is the store's clock, in ms since the epoch, at that moment. */
export interface Stored {
  readonly avatar: Avatar;
  readonly version: number;
  readonly now: number;
}

export interface Save {
  /** When the avatar is due again, in ms from now. */
  readonly dueInMs: number;
  /** Whether the submission is still needed; `drop` deletes it in the same write. */
  readonly submission: 'keep' | 'drop';
}

/** `task-taken`: the task id in the record belongs to another avatar; nothing was written. */
export type SaveResult =
  | { readonly saved: true; readonly version: number }
  | { readonly saved: false; readonly reason: 'stale' | 'task-taken' };

/** What the store found and could not use, since it was opened. */
export interface StoreHealth {
  readonly corruptRecords: number;
}

export interface Store {
  /**
   * Puts a new avatar and the bytes that will be submitted for it. It is due in `leaseMs`, as if its creator
   * had claimed it, so that it is picked up by another worker should the creator die. Where the caller's idempotency
   * key names an avatar already, nothing is written and that avatar is returned: compare the ids. A key lives as
   * long as its avatar. Throws {@link AvatarExistsError} where the id is taken.
   */
  create(avatar: Avatar, submission: Buffer, leaseMs: number): Promise<Stored>;
  /** The avatar, if it is there and it is this caller's. Throws where it is there and cannot be read. */
  find(caller: string, id: string): Promise<Stored | null>;
  /** The bytes to submit, `null` once dropped. */
  submission(id: string): Promise<Buffer | null>;
  /**
   * Takes up to `limit` due avatars, longest due first. Each gets a new version and is due again in `leaseMs`;
   * two claims never return the same avatar at the same version.
   */
  claim(limit: number, leaseMs: number): Promise<Stored[]>;
  /**
   * Replaces the record if it is still at `version`. A new task id is indexed, and belongs to one avatar only; it
   * stays with its avatar until that is removed.
   */
  save(avatar: Avatar, version: number, save: Save): Promise<SaveResult>;
  /** Forgets the avatar and all that belongs to it, if it is still at `version`. Says whether it did. */
  remove(id: string, version: number): Promise<boolean>;
  /** Milliseconds until the next avatar is due: 0 when one is, `null` when there is none. */
  nextDueInMs(): Promise<number | null>;
  /** Resolves when the store can be written to. */
  ping(): Promise<void>;
  health(): StoreHealth;
  /** Ends connections and files. Calling it twice is fine. */
  close(): Promise<void>;
}

/** The store cannot be read or written now. The message names no host and no password. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** The embedded store's directory belongs to another process, and one process at a time is all it allows. */
export class StoreLockedError extends Error {
  override readonly name = 'StoreLockedError';
  constructor(dir: string, options?: ErrorOptions) {
    super(`the data directory ${dir} is in use by another process`, options);
  }
}

/** An avatar with this id was created before. */
export class AvatarExistsError extends Error {
  override readonly name = 'AvatarExistsError';
  constructor(id: string) {
    super(`${id} is there already`);
  }
}
