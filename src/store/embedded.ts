/** The store of one process: LevelDB in a directory, every write on disk before it is said to be done. */

import type { Avatar } from '../domain/avatar.js';
import { EVERYONE, type Scope } from '../domain/caller.js';
import type { DayOfUse } from '../domain/spend.js';
import { callerDigest } from './digests.js';
import { forgetAccounts, use } from './embedded/accounts.js';
import { Claims } from './embedded/claims.js';
import type { Transaction } from './embedded/commit.js';
import { readDocument, swapDocument } from './embedded/documents.js';
import { Engine } from './embedded/engine.js';
import { Feeds } from './embedded/feeds.js';
import { decodeSubmission, dueRange, parseDueKey, submissionKey } from './embedded/keys.js';
import { list } from './embedded/lists.js';
import { type FoundRecord, readRecord, readRecordOf } from './embedded/records.js';
import { create, ownerOrRoom, remove, save } from './embedded/writes.js';
import type { Preferred } from './preferred.js';
import { CorruptRecordError, encodeRecord, NewerRecordError } from './record.js';
import {
  type Change,
  type CreatedOrKnown,
  type Creation,
  type Feed,
  type Found,
  type ListQuery,
  type Outlook,
  type Page,
  type Save,
  type SaveResult,
  type SharedDocument,
  type Store,
  type Stored,
  type StoreHealth,
  StoreUnavailableError,
} from './store.js';

export interface EmbeddedStoreOptions {
  /** Made if it is not there, for this user only. */
  readonly dir: string;
  /** The store's clock, in ms since the epoch. */
  readonly now?: () => number;
}

/** @throws StoreLockedError when another process has the directory, StoreUnavailableError when it is unusable */
export async function openEmbeddedStore({ dir, now = Date.now }: EmbeddedStoreOptions): Promise<Store> {
  const engine = await Engine.open(dir, now);
  await forgetAccounts(engine);
  return new EmbeddedStore(engine);
}

class EmbeddedStore implements Store {
  /** Nobody else counts. */
  readonly count = null;
  readonly #engine: Engine;
  readonly #claims: Claims;
  readonly #feeds: Feeds;
  readonly #listeners = new Set<(change: Change | null) => void>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#claims = new Claims(engine);
    this.#feeds = new Feeds(engine);
  }

  async create(avatar: Avatar, submission: readonly Buffer[], creation: Creation): Promise<CreatedOrKnown> {
    const { media } = this.#engine;
    const record = encodeRecord(avatar);
    const bytes = submission.reduce((sum, { length }) => sum + length, 0);
    const existing = (tx: Transaction) => {
      const owner = ownerOrRoom(this.#engine, tx, avatar, bytes, creation);
      return owner === null ? null : this.#whole(readRecord(tx, owner));
    };
    const known = await this.#engine.transact(existing);
    if (known !== null) return { ...known, spent: null };

    const file = await media.write(submission, bytes);
    let isNamed = false;
    const { found, made } = await this.#engine
      .transact((tx) => {
        const found = existing(tx);
        if (found !== null) return { found, made: null };
        const made = create(this.#engine, tx, avatar, record, file, creation);
        isNamed = true;
        return { found, made };
      })
      // A batch that names it and fails may still be on disk: the file goes when that is taken back.
      .finally(() => (isNamed ? media.settle(file.file) : media.remove(file.file)));
    if (made === null) return { ...found, spent: null };
    this.#tell({ id: avatar.id, caller: avatar.caller, version: 1, at: made.at });
    return { avatar, version: 1, now: this.#engine.now(), spent: made.spent };
  }

  async find(scope: Scope, id: string): Promise<Found | null> {
    const { found, ahead } = await this.#engine.transact((tx) => {
      const found = readRecordOf(tx, scope === EVERYONE ? null : callerDigest(scope), id);
      if (found instanceof CorruptRecordError) this.#engine.setAside(tx, id);
      return { found, ahead: this.#engine.queue.ahead(id) };
    });
    return found === null ? null : { ...this.#whole(found), ahead };
  }

  async submission(id: string): Promise<Buffer | null> {
    await this.#engine.ready();
    const value = this.#engine.disk.read(submissionKey(id));
    const submission = value === undefined ? null : decodeSubmission(value);
    return submission === null ? null : this.#engine.media.read(submission);
  }

  async next(limit: number): Promise<Stored[]> {
    return this.#engine.transact((tx) => {
      const first: Stored[] = [];
      for (const id of this.#engine.queue.ids()) {
        if (first.length >= limit) break;
        const found = readRecord(tx, id);
        if (found instanceof NewerRecordError) this.#engine.queue.pass(id);
        else if (found === null || found instanceof CorruptRecordError) this.#engine.setAside(tx, id);
        else first.push(this.#whole(found));
      }
      return first;
    });
  }

  async claim(
    lane: string | null,
    limit: number,
    leaseMs: number,
    preferred: Preferred = new Set(),
  ): Promise<Stored[]> {
    return this.#claims.claim(lane, limit, leaseMs, preferred);
  }

  async save(avatar: Avatar, version: number, how: Save): Promise<SaveResult> {
    const { id, caller } = avatar;
    const record = encodeRecord(avatar);
    const result = await this.#engine.transact((tx) => save(this.#engine, tx, avatar, record, version, how));
    if (!result.saved) return result;
    const { version: saved, at } = result;
    if (at !== null) this.#tell({ id, caller, version: saved, at });
    return { saved: true, version: saved };
  }

  async remove(id: string, version: number): Promise<boolean> {
    const caller = await this.#engine.transact((tx) => remove(this.#engine, tx, id, version));
    if (caller !== null) this.#tell({ id, caller, version: null, at: null });
    return caller !== null;
  }

  async list(scope: Scope, query: ListQuery): Promise<Page> {
    return list(this.#engine, scope, query);
  }

  async feed(scope: Scope, after: number | null, limit: number): Promise<Feed> {
    return this.#feeds.feed(scope, after, limit);
  }

  async use(scope: Scope, from: string, to: string): Promise<DayOfUse[]> {
    return use(this.#engine, scope, from, to);
  }

  async callers(): Promise<string[]> {
    return this.#feeds.callers();
  }

  async outlook(lanes: readonly string[]): Promise<Outlook> {
    const { queue, slots, disk } = this.#engine;
    await this.#engine.ready();
    const now = this.#engine.now();
    const ofLanes = lanes.map(async (lane) => {
      const due = (await disk.keys(dueRange(lane, now))).length;
      const dueInMs = due > 0 ? 0 : await this.#dueInMs(lane, now);
      return [lane, { slots: slots.count(lane, now), due, dueInMs }] as const;
    });
    const dueInMs = await this.#dueInMs(null, now);
    const byLane = new Map(await Promise.all(ofLanes));
    return { now, queued: queue.size, queuedBytes: queue.bytes, dueInMs, lanes: byLane };
  }

  async lanes(): Promise<string[]> {
    await this.#engine.ready();
    return this.#engine.slots.lanes();
  }

  async document(name: string): Promise<SharedDocument> {
    return this.#engine.transact((tx) => ({ ...readDocument(tx, name), now: this.#engine.now() }));
  }

  async swap(
    name: string,
    revision: number,
    value: string,
  ): Promise<SharedDocument & { readonly swapped: boolean }> {
    return this.#engine.transact((tx) => ({
      ...swapDocument(tx, name, revision, value),
      now: this.#engine.now(),
    }));
  }

  onChange(listener: (change: Change | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async ping(): Promise<void> {
    await this.#engine.transact((tx) => tx.put('ping', Buffer.alloc(0)));
  }

  health(): StoreHealth {
    return { corruptRecords: this.#engine.corrupt };
  }

  async close(): Promise<void> {
    await this.#feeds.settled();
    await this.#engine.close();
  }

  #tell(change: Change): void {
    this.#feeds.grew();
    for (const listener of this.#listeners) listener(change);
  }

  async #dueInMs(lane: string | null, now: number): Promise<number | null> {
    const [first] = await this.#engine.disk.keys({ ...dueRange(lane), limit: 1 });
    return first === undefined ? null : Math.max(0, parseDueKey(lane, first).due - now);
  }

  /** @throws CorruptRecordError, or StoreUnavailableError where it is a newer release's */
  #whole(found: FoundRecord): Stored {
    if (found instanceof NewerRecordError) throw new StoreUnavailableError(found.message, { cause: found });
    if (found instanceof Error) throw found;
    if (found === null) throw new CorruptRecordError('an idempotency key leads to no record');
    return { avatar: found.avatar, version: found.meta.version, now: this.#engine.now() };
  }
}
