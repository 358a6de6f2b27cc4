/** The store of one process: LevelDB in a directory, every write on disk before it is said to be done. */

import type { Avatar } from '../domain/avatar.js';
import { standingOf } from '../domain/standing.js';
import { wholeDelay } from './delay.js';
import { GroupCommit, type Transaction } from './embedded/commit.js';
import {
  avatarKey,
  documentKey,
  dueKey,
  dueRange,
  idempotencyKey,
  metaKey,
  parseDueKey,
  submissionKey,
  taskKey,
} from './embedded/keys.js';
import { LevelDisk } from './embedded/level.js';
import { Queue } from './embedded/queue.js';
import { type FoundRecord, readMeta, readRecord, schedule, setAside } from './embedded/records.js';
import { Slots } from './embedded/slots.js';
import { keyDigest } from './idempotency.js';
import { CorruptRecordError, encodeRecord, NewerRecordError } from './record.js';
import {
  AvatarExistsError,
  type Creation,
  type Found,
  type Outlook,
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

/** How many due avatars of a lane are counted; more are as good as many. */
const COUNT_DUE = 200;
/** How many of the queue are looked at beyond those wanted, for those that cannot be read. */
const SPARE = 100;

/** @throws StoreLockedError when another process has the directory, StoreUnavailableError when it is unusable */
export async function openEmbeddedStore({ dir, now = Date.now }: EmbeddedStoreOptions): Promise<Store> {
  const store = new EmbeddedStore(await LevelDisk.open(dir), now);
  await store.load();
  return store;
}

class EmbeddedStore implements Store {
  readonly #disk: LevelDisk;
  readonly #commit: GroupCommit;
  readonly #now: () => number;
  readonly #queue = new Queue();
  readonly #slots = new Slots();
  readonly #listeners = new Set<(id: string) => void>();
  #corrupt = 0;
  /** The claim under way. One follows the other, so that each finds what the one before it left. */
  #claiming: Promise<unknown> = Promise.resolve();
  #recovering: Promise<void> | null = null;

  constructor(disk: LevelDisk, now: () => number) {
    this.#disk = disk;
    this.#commit = new GroupCommit(disk);
    this.#now = () => Math.floor(now());
  }

  /** Reads what is kept in memory beside the disk. */
  async load(): Promise<void> {
    await this.#queue.load(this.#disk);
    await this.#slots.load(this.#disk);
  }

  async create(avatar: Avatar, submission: Buffer, { dueInMs, bounds }: Creation): Promise<Stored> {
    const { id, caller } = avatar;
    const bytes = encodeRecord(avatar);
    const key = avatar.idempotency && keyDigest(caller, avatar.idempotency.key);
    const stored = await this.#transact((tx) => {
      if (readRecord(tx, id) !== null) throw new AvatarExistsError(id);
      const now = this.#now();
      const owner = key === null ? undefined : tx.get(idempotencyKey(key))?.toString();
      if (owner !== undefined) return this.#whole(readRecord(tx, owner), now);
      const { queued } = standingOf(avatar);
      if (queued) this.#queue.checkRoom(bounds, submission.length);
      const tag = queued ? this.#queue.nextTag(caller) : null;
      if (key !== null) tx.put(idempotencyKey(key), Buffer.from(id));
      tx.put(avatarKey(id), bytes);
      tx.put(submissionKey(id), submission);
      const due = after(now, dueInMs);
      schedule(tx, id, null, { version: 1, due, lane: null, task: null, key, slot: null, tag });
      if (tag !== null) this.#queue.enter(tx, id, { caller, tag, bytes: submission.length });
      return { avatar, version: 1, now };
    });
    this.#tell(stored.avatar.id);
    return stored;
  }

  async find(caller: string, id: string): Promise<Found | null> {
    const { found, aside, ahead } = await this.#transact((tx) => {
      const found = readRecord(tx, id);
      const ahead = this.#queue.ahead(id);
      return { found, ahead, aside: found instanceof CorruptRecordError && this.#setAside(tx, id) };
    });
    if (aside) this.#corrupt += 1;
    if (found === null) return null;
    const stored = this.#whole(found, this.#now());
    return stored.avatar.caller === caller ? { ...stored, ahead } : null;
  }

  async submission(id: string): Promise<Buffer | null> {
    await this.#ready();
    return (await this.#disk.readLarge(submissionKey(id))) ?? null;
  }

  async next(limit: number): Promise<Stored[]> {
    const { first, aside } = await this.#transact((tx) => {
      const first: Stored[] = [];
      let aside = 0;
      for (const id of this.#queue.first(limit + SPARE)) {
        if (first.length === limit) break;
        const found = readRecord(tx, id);
        if (found instanceof CorruptRecordError) {
          if (this.#setAside(tx, id)) aside += 1;
        } else if (found === null) {
          this.#queue.leave(tx, id, false);
        } else if (!(found instanceof Error)) {
          first.push({ avatar: found.avatar, version: found.meta.version, now: this.#now() });
        }
      }
      return { first, aside };
    });
    this.#corrupt += aside;
    return first;
  }

  async claim(lane: string | null, limit: number, leaseMs: number): Promise<Stored[]> {
    const claimed = this.#claiming.then(() => this.#claim(lane, limit, leaseMs));
    this.#claiming = claimed.catch(() => {});
    return claimed;
  }

  async save(avatar: Avatar, version: number, save: Save): Promise<SaveResult> {
    const { id } = avatar;
    const bytes = encodeRecord(avatar);
    const result = await this.#transact((tx) => this.#save(tx, avatar, bytes, version, save));
    if (result.saved) this.#tell(id);
    return result;
  }

  async remove(id: string, version: number): Promise<boolean> {
    const removed = await this.#transact((tx) => {
      const meta = readMeta(tx, id);
      if (meta?.version !== version) return false;
      tx.del(dueKey(meta, id));
      for (const key of [avatarKey(id), metaKey(id), submissionKey(id)]) tx.del(key);
      if (meta.task !== null) tx.del(taskKey(meta.task));
      if (meta.key !== null) tx.del(idempotencyKey(meta.key));
      if (meta.slot !== null) this.#slots.release(tx, meta.slot, id);
      this.#queue.leave(tx, id, false);
      return true;
    });
    if (removed) this.#tell(id);
    return removed;
  }

  async outlook(lanes: readonly string[]): Promise<Outlook> {
    await this.#ready();
    const now = this.#now();
    const ofLane = async (lane: string) => {
      const due = await this.#disk.keys({ ...dueRange(lane, now), limit: COUNT_DUE });
      const dueInMs = due.length > 0 ? 0 : await this.#dueInMs(lane, now);
      return [lane, { slots: this.#slots.count(lane, now), due: due.length, dueInMs }] as const;
    };
    const [dueInMs, ofLanes] = await Promise.all([this.#dueInMs(null, now), Promise.all(lanes.map(ofLane))]);
    const { size: queued, bytes: queuedBytes } = this.#queue;
    return { now, queued, queuedBytes, dueInMs, lanes: new Map(ofLanes) };
  }

  async lanes(): Promise<string[]> {
    await this.#ready();
    return this.#slots.lanes();
  }

  async document(name: string): Promise<SharedDocument> {
    return this.#transact((tx) => ({ ...documentOf(tx.get(documentKey(name))), now: this.#now() }));
  }

  async swap(
    name: string,
    revision: number,
    value: string,
  ): Promise<SharedDocument & { readonly swapped: boolean }> {
    return this.#transact((tx) => {
      const now = this.#now();
      const found = documentOf(tx.get(documentKey(name)));
      if (found.revision !== revision) return { ...found, now, swapped: false };
      const next = { revision: revision + 1, value };
      tx.put(documentKey(name), Buffer.from(JSON.stringify(next)));
      return { ...next, now, swapped: true };
    });
  }

  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async ping(): Promise<void> {
    await this.#transact((tx) => tx.put('ping', Buffer.alloc(0)));
  }

  health(): StoreHealth {
    return { corruptRecords: this.#corrupt };
  }

  async close(): Promise<void> {
    await this.#commit.drain();
    await this.#disk.close();
  }

  #save(tx: Transaction, avatar: Avatar, bytes: Buffer, version: number, save: Save): SaveResult {
    const { id, taskId, keyId, caller } = avatar;
    const meta = readMeta(tx, id);
    if (meta?.version !== version) return { saved: false, reason: 'stale' };
    const owner = taskId === null ? undefined : tx.get(taskKey(taskId))?.toString();
    if (owner !== undefined && owner !== id) return { saved: false, reason: 'task-taken' };
    const now = this.#now();
    const { queued, slot, lane } = standingOf(avatar);
    if (slot && keyId !== null && save.slots !== undefined && !this.#slots.holds(keyId, id, now)) {
      if (this.#slots.count(keyId, now) >= save.slots) return { saved: false, reason: 'no-slot' };
    }
    if (taskId !== null) tx.put(taskKey(taskId), Buffer.from(id));
    tx.put(avatarKey(id), bytes);
    if (save.submission === 'drop') tx.del(submissionKey(id));
    const tag = save.submission === 'drop' ? null : meta.tag;
    const due = after(now, save.dueInMs);
    const task = taskId ?? meta.task;
    schedule(tx, id, meta, { ...meta, version: version + 1, due, lane, task, slot: keyId ?? meta.slot, tag });
    if (lane !== null) this.#slots.noteLane(tx, lane);
    if (keyId !== null) {
      const forMs = save.slotForMs ?? 0;
      if (slot) this.#slots.hold(tx, keyId, id, Number.POSITIVE_INFINITY);
      else if (forMs > 0) this.#slots.hold(tx, keyId, id, after(now, forMs));
      else this.#slots.release(tx, keyId, id);
    }
    if (!queued) this.#queue.leave(tx, id, slot);
    else if (this.#queue.ahead(id) === null) {
      const size = tx.get(submissionKey(id))?.length ?? 0;
      this.#queue.enter(tx, id, { caller, tag: tag ?? 0, bytes: size });
    }
    return { saved: true, version: version + 1 };
  }

  /** @throws CorruptRecordError, or StoreUnavailableError where it is a newer release's */
  #whole(found: FoundRecord, now: number): Stored {
    if (found instanceof NewerRecordError) throw new StoreUnavailableError(found.message, { cause: found });
    if (found instanceof Error) throw found;
    if (found === null) throw new CorruptRecordError('an idempotency key leads to no record');
    return { avatar: found.avatar, version: found.meta.version, now };
  }

  /** After a failed write, what is in memory may be ahead of the disk: it is read anew. */
  async #ready(): Promise<void> {
    if (!this.#disk.failed && this.#recovering === null) return;
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = null;
    });
    await this.#recovering;
  }

  async #recover(): Promise<void> {
    await this.#disk.recover();
    await this.load();
  }

  async #transact<T>(work: (tx: Transaction) => T): Promise<T> {
    await this.#ready();
    return this.#commit.transact(work);
  }

  async #dueInMs(lane: string | null, now: number): Promise<number | null> {
    const [first] = await this.#disk.keys({ ...dueRange(lane), limit: 1 });
    return first === undefined ? null : Math.max(0, parseDueKey(lane, first).due - now);
  }

  #setAside(tx: Transaction, id: string): boolean {
    const aside = setAside(tx, id);
    for (const lane of this.#slots.lanes()) this.#slots.release(tx, lane, id);
    this.#queue.leave(tx, id, false);
    return aside;
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }

  async #claim(lane: string | null, limit: number, leaseMs: number): Promise<Stored[]> {
    await this.#ready();
    const now = this.#now();
    const entries = await this.#disk.keys({ ...dueRange(lane, now), limit });
    if (entries.length === 0) return [];
    const { claimed, aside } = await this.#transact((tx) => {
      const claimed: Stored[] = [];
      let aside = 0;
      for (const entry of entries) {
        // A save that was not on disk yet may have moved it since.
        if (tx.get(entry) === undefined) continue;
        const { id } = parseDueKey(lane, entry);
        const found = readRecord(tx, id);
        if (found === null) {
          tx.del(entry);
        } else if (found instanceof CorruptRecordError) {
          tx.del(entry);
          if (this.#setAside(tx, id)) aside += 1;
        } else if (found instanceof NewerRecordError) {
          const meta = readMeta(tx, id);
          if (meta !== null) schedule(tx, id, meta, { ...meta, due: after(now, leaseMs) });
        } else {
          const { avatar, meta } = found;
          const version = meta.version + 1;
          schedule(tx, id, meta, { ...meta, version, due: after(now, leaseMs) });
          claimed.push({ avatar, version, now });
        }
      }
      return { claimed, aside };
    });
    this.#corrupt += aside;
    return claimed;
  }
}

type Kept = Pick<SharedDocument, 'value' | 'revision'>;

function documentOf(bytes: Buffer | undefined): Kept {
  return bytes === undefined ? { revision: 0, value: null } : (JSON.parse(bytes.toString()) as Kept);
}

function after(now: number, delayMs: number): number {
  return now + wholeDelay(delayMs);
}
