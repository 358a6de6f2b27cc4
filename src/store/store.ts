/**
 * The store port. Two adapters implement it (SQLite in one process, Redis for any number) and one contract suite,
 * `test/store/contract.ts`, holds both to it.
 *
 * In the contract:
 * - Every write is one atomic change of record, version, due time, queue, slots, calls, submission and indexes together,
 *   and is as durable as the adapter is configured to be before its promise resolves. What an avatar holds follows from
 *   its status (`domain/holdings.ts`): a place in the queue, a slot of its key, the due index it stands in.
 * - `version` is the fence. It grows with every claim and every save; a write that carries another version than the
 *   stored one changes nothing. The same save sent again, because its reply was lost, answers as the first.
 * - Time is the store's: delays go in, the store's clock comes out (`now`), so replicas whose clocks disagree agree on
 *   what is due.
 * - The queue is fair between callers and first come, first served within one: a caller who joins is served next,
 *   however many another one has waiting. An avatar that comes back to the queue has its old place; one that leaves it
 *   unsubmitted gives its caller's turn back.
 * - Slots and calls of a key are taken by what needs them, in the same write. Submits and polls share the calls: while
 *   both wait, every fifth is a poll's, and polls leave one of a burst to submits.
 * - What an avatar costs its caller follows from its status as well (`domain/spend.ts`), and is counted in the same
 *   write: on the day it was accepted, in UTC, by mode. What is counted is remembered for {@link USE_MS} at least.
 * - A read has a {@link Scope}. Another caller's avatar is not found, and not even read, whatever is wrong with it. A record
 *   that cannot be read and does not say whose it is, is an error to all.
 * - What the store cannot do now throws `StoreUnavailableError`. "Not found" is said only of what is not there.
 * - A record that cannot be decoded is quarantined: counted, out of the way of the others, and costs its caller nothing
 *   more. One written by a newer release is left as it is.
 *
 * Not in the contract: what a status means, who may do what, retries, and what an avatar is worth.
 */

import type { Avatar, Status } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import type { DayOfUse, Spent } from '../domain/spend.js';
import type { Admission, Begin, CallTerms, Claim, Save } from './writes.js';

export * from './errors.js';
export type * from './writes.js';

/** How long a change is known of. */
export const FEED_MS = 24 * 3_600_000;

/** How long it is known what was spent on a day. */
export const USE_MS = 400 * 24 * 3_600_000;

/** An avatar as it stands in the store. `now` is the store's clock, in ms since the epoch, at that moment. */
export interface Stored {
  readonly avatar: Avatar;
  readonly version: number;
  readonly now: number;
}

/** `ahead`: how many avatars stand before it in the queue; `null` where it is not queued. */
export interface Found extends Stored {
  readonly ahead: number | null;
}

/**
 * `known`: the caller's idempotency key names this avatar, and nothing was written. `begun`: the submit is this process's to
 * make. `spent`: what its caller has spent, this avatar included; may be `null` where it has no caps.
 */
export type Admitted =
  | (Stored & { readonly outcome: 'known' })
  | (Stored & { readonly outcome: 'queued' | 'begun'; readonly spent: Spent | null });

/** An avatar whose submit was begun; `submission`: the bytes, where they are few enough to come with it. */
export interface BegunSubmit extends Stored {
  readonly submission: Buffer | null;
}

/** `waitMs`: until a call may be had for more; `null` where it is no call that is missing, 0 where the terms are outdated. */
export interface Begun {
  readonly begun: readonly BegunSubmit[];
  readonly waitMs: number | null;
}

/** `waitMs`: as of {@link Begun}. */
export interface Claimed {
  readonly claimed: readonly Stored[];
  readonly waitMs: number | null;
}

/** An avatar was written, here or elsewhere. */
export interface Change {
  readonly id: string;
  readonly caller: string;
  /** The version it has now; `null` where it was removed. */
  readonly version: number | null;
  /** The place of this change in the {@link Store.feed}, of its caller and of everyone; `null` where the avatar was removed. */
  readonly at: number | null;
}

/** Where a page of a list ends. */
export interface Place {
  readonly createdAt: number;
  readonly id: string;
}

export interface ListQuery {
  /** All of these; `null`: any. */
  readonly statuses: readonly Status[] | null;
  readonly externalId: string | null;
  /** Both exclusive, in ms since the epoch. */
  readonly createdAfter: number | null;
  readonly createdBefore: number | null;
  /** Only what stands behind it. */
  readonly behind: Place | null;
  readonly limit: number;
}

/** `next`: where the page ends; `null` where nothing follows. */
export interface Page {
  readonly found: readonly Found[];
  readonly next: Place | null;
}

/** `at`: the place of its last change among all changes there are; a later change has a higher one. */
export interface Changed extends Stored {
  readonly at: number;
}

/**
 * `last`: the place of the last change there was, 0 before the first: who has all that was changed behind a place goes
 * on from there. `whole`: no change behind the one asked for was forgotten.
 */
export interface Feed {
  readonly changed: readonly Changed[];
  readonly last: number;
  readonly whole: boolean;
}

/** `task-taken`: the task id in the record belongs to another avatar. Nothing was written. */
export type SaveResult =
  | { readonly saved: true; readonly version: number }
  | { readonly saved: false; readonly reason: 'stale' | 'task-taken' };

/** Where there is something to do. */
export interface Outlook {
  readonly now: number;
  readonly queued: number;
  readonly queuedBytes: number;
  /** Milliseconds until the next avatar is due in the common index: 0 when one is, `null` when there is none. */
  readonly dueInMs: number | null;
  /** The same for the due index of each key asked for, how many are due there now, and how many of its slots are held. */
  readonly keys: ReadonlyMap<
    string,
    { readonly slots: number; readonly due: number; readonly dueInMs: number | null }
  >;
}

/** A small text that all processes share. `revision` is 0 and `value` `null` where there is none yet. */
export interface StoredDocument {
  readonly value: string | null;
  readonly revision: number;
  readonly now: number;
}

/** `count`: with what was added now. `leftMs`: until the count begins anew. */
export interface Hits {
  readonly count: number;
  readonly leftMs: number;
}

/** What the store found and could not use, since it was opened. */
export interface StoreHealth {
  readonly corruptRecords: number;
}

export interface Store {
  /**
   * Puts a new avatar and the bytes that will be submitted for it: the pieces, one behind the other. They may be some
   * 15 MB, and are not to be changed before the promise settles; from then on the store holds none of them in memory.
   * Where the caller's idempotency key names an avatar already, nothing is written and that avatar is returned. A key
   * lives as long as its avatar. The same call again, because its reply was lost, answers as the first.
   * @throws {QueueFullError}
   * @throws {CallerLimitError}
   */
  admit(avatar: Avatar, submission: readonly Buffer[], admission: Admission): Promise<Admitted>;
  /**
   * Begins up to `limit` submits of those that are first in the queue, as far as slots and calls reach; of none that is due in the
   * common index, or was claimed there: it has waited for as long as it may.
   * @param large how many of them may be such that their submission, for its size, does not come along; unset: all. Nobody is
   * passed over: what is behind one too many waits with it.
   */
  begin(begin: Begin, limit: number, large?: number): Promise<Begun>;
  /**
   * The avatar, if it is there and within the scope. Throws where it cannot be read. Another's takes as long as one that is not there.
   * @param known what was found before within the scope: it may be returned as it is where that is its version now
   */
  find(scope: Scope, id: string, known?: Found | null): Promise<Found | null>;
  /** Avatars within a scope, the newest first. What is created while someone turns the pages moves nothing on them. */
  list(scope: Scope, query: ListQuery): Promise<Page>;
  /**
   * The avatars within a scope that were changed behind a place, each once, in the order of their last change; none where
   * `after` is `null`. Fewer than `limit`: these are all up to `last`. Changes are known for {@link FEED_MS} at least; a
   * removal is none. What is changed while this reads may come with a later version than its place stands for, and then
   * comes again.
   */
  feed(scope: Scope, after: number | null, limit: number): Promise<Feed>;
  /** What was spent within a scope from one day to another, both as `2026-11-28` and included: by caller, day and mode, in this order. */
  use(scope: Scope, from: string, to: string): Promise<DayOfUse[]>;
  /** Every caller that ever had an avatar here, in the order of their names. */
  callers(): Promise<string[]>;
  /** The bytes to submit; `null` once dropped, and where they are not all there any more. */
  submission(id: string): Promise<Buffer | null>;
  /**
   * Takes up to `limit` due avatars of one due index, longest due first. Each gets a new version and is due again in
   * `leaseMs`; two claims never return the same avatar at the same version.
   */
  claim(claim: Claim): Promise<Claimed>;
  /** Takes a call of a key for what no avatar is due for. Resolves with 0, or, where there is none now, with ms until one may be had, at least 1. */
  takeCall(keyId: string, calls: CallTerms): Promise<number>;
  /**
   * Replaces the record if it is still at `version`. A new task id is indexed, and belongs to one avatar only; it
   * stays with its avatar until that is removed.
   */
  save(avatar: Avatar, version: number, save: Save): Promise<SaveResult>;
  /** Forgets the avatar and all that belongs to it, if it is still at `version`. Says whether it did. */
  remove(id: string, version: number): Promise<boolean>;
  outlook(keyIds: readonly string[]): Promise<Outlook>;
  /** The keys in whose due index an avatar stands. */
  keyIds(): Promise<string[]>;
  document(name: string): Promise<StoredDocument>;
  /** Replaces a document that is still at `revision`. Returns it as it then is: `swapped` says whether by this call. */
  swap(
    name: string,
    revision: number,
    value: string,
  ): Promise<StoredDocument & { readonly swapped: boolean }>;
  /**
   * Adds to counts that all processes share, by their names, each in a window that begins with the first. Unlike writes it waits
   * for no copies. `null`: one process at a time is all there is, and counts by itself.
   */
  readonly count:
    | ((added: ReadonlyMap<string, number>, windowMs: number) => Promise<ReadonlyMap<string, Hits>>)
    | null;
  /**
   * Calls back for each avatar written, here or elsewhere; with `null` where words may have been lost, so that anything
   * may have changed. Returns how to end it.
   */
  onChange(listener: (change: Change | null) => void): () => void;
  /** Resolves when the store can be written to. */
  ping(): Promise<void>;
  health(): StoreHealth;
  /** Ends connections and files. Calling it twice is fine. */
  close(): Promise<void>;
}
