/** The store of one process: LevelDB in a directory, every write on disk before it is said to be done. */

import type { Avatar } from '../domain/avatar.js';
import { wholeDelay } from './delay.js';
import { GroupCommit, type Transaction } from './embedded/commit.js';
import {
  avatarKey,
  dueKey,
  dueRange,
  idempotencyKey,
  metaKey,
  parseDueKey,
  submissionKey,
  taskKey,
} from './embedded/keys.js';
import { LevelDisk } from './embedded/level.js';
import { type Found, readMeta, readRecord, schedule, setAside } from './embedded/records.js';
import { keyDigest } from './idempotency.js';
import { CorruptRecordError, encodeRecord, NewerRecordError } from './record.js';
import {
  AvatarExistsError,
  type Save,
  type SaveResult,
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
  return new EmbeddedStore(await LevelDisk.open(dir), now);
}

class EmbeddedStore implements Store {
  readonly #disk: LevelDisk;
  readonly #commit: GroupCommit;
  readonly #now: () => number;
  #corrupt = 0;
  /** The claim under way. One follows the other, so that each finds what the one before it left. */
  #claiming: Promise<unknown> = Promise.resolve();

  constructor(disk: LevelDisk, now: () => number) {
    this.#disk = disk;
    this.#commit = new GroupCommit(disk);
    this.#now = () => Math.floor(now());
  }

  async create(avatar: Avatar, submission: Buffer, leaseMs: number): Promise<Stored> {
    const { id } = avatar;
    const bytes = encodeRecord(avatar);
    const key = avatar.idempotency && keyDigest(avatar.caller, avatar.idempotency.key);
    return this.#transact((tx) => {
      if (readRecord(tx, id) !== null) throw new AvatarExistsError(id);
      const now = this.#now();
      const owner = key === null ? undefined : tx.get(idempotencyKey(key))?.toString();
      if (owner !== undefined) return this.#whole(readRecord(tx, owner), now);
      if (key !== null) tx.put(idempotencyKey(key), Buffer.from(id));
      tx.put(avatarKey(id), bytes);
      tx.put(submissionKey(id), submission);
      schedule(tx, id, null, { version: 1, due: after(now, leaseMs), task: null, key });
      return { avatar, version: 1, now };
    });
  }

  async find(caller: string, id: string): Promise<Stored | null> {
    const { found, aside } = await this.#transact((tx) => {
      const found = readRecord(tx, id);
      return { found, aside: found instanceof CorruptRecordError && setAside(tx, id) };
    });
    if (aside) this.#corrupt += 1;
    if (found === null) return null;
    const stored = this.#whole(found, this.#now());
    return stored.avatar.caller === caller ? stored : null;
  }

  async submission(id: string): Promise<Buffer | null> {
    await this.#ready();
    return (await this.#disk.readLarge(submissionKey(id))) ?? null;
  }

  async claim(limit: number, leaseMs: number): Promise<Stored[]> {
    const claimed = this.#claiming.then(() => this.#claim(limit, leaseMs));
    this.#claiming = claimed.catch(() => {});
    return claimed;
  }

  async save(avatar: Avatar, version: number, { dueInMs, submission }: Save): Promise<SaveResult> {
    const { id, taskId } = avatar;
    const bytes = encodeRecord(avatar);
    return this.#transact((tx): SaveResult => {
      const meta = readMeta(tx, id);
      if (meta?.version !== version) return { saved: false, reason: 'stale' };
      if (taskId !== null) {
        const owner = tx.get(taskKey(taskId))?.toString();
        if (owner !== undefined && owner !== id) return { saved: false, reason: 'task-taken' };
        tx.put(taskKey(taskId), Buffer.from(id));
      }
      tx.put(avatarKey(id), bytes);
      if (submission === 'drop') tx.del(submissionKey(id));
      const task = taskId ?? meta.task;
      schedule(tx, id, meta, { ...meta, version: version + 1, due: after(this.#now(), dueInMs), task });
      return { saved: true, version: version + 1 };
    });
  }

  async remove(id: string, version: number): Promise<boolean> {
    return this.#transact((tx) => {
      const meta = readMeta(tx, id);
      if (meta?.version !== version) return false;
      tx.del(dueKey(meta.due, id));
      for (const key of [avatarKey(id), metaKey(id), submissionKey(id)]) tx.del(key);
      if (meta.task !== null) tx.del(taskKey(meta.task));
      if (meta.key !== null) tx.del(idempotencyKey(meta.key));
      return true;
    });
  }

  async nextDueInMs(): Promise<number | null> {
    await this.#ready();
    const [first] = await this.#disk.keys({ ...dueRange(), limit: 1 });
    return first === undefined ? null : Math.max(0, parseDueKey(first).due - this.#now());
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

  /** @throws CorruptRecordError, or StoreUnavailableError where it is a newer release's */
  #whole(found: Found, now: number): Stored {
    if (found instanceof NewerRecordError) throw new StoreUnavailableError(found.message, { cause: found });
    if (found instanceof Error) throw found;
    if (found === null) throw new CorruptRecordError('an idempotency key leads to no record');
    return { avatar: found.avatar, version: found.meta.version, now };
  }

  async #ready(): Promise<void> {
    if (this.#disk.failed) await this.#disk.recover();
  }

  async #transact<T>(work: (tx: Transaction) => T): Promise<T> {
    await this.#ready();
    return this.#commit.transact(work);
  }

  async #claim(limit: number, leaseMs: number): Promise<Stored[]> {
    await this.#ready();
    const now = this.#now();
    const entries = await this.#disk.keys({ ...dueRange(now), limit });
    if (entries.length === 0) return [];
    const { claimed, aside } = await this.#transact((tx) => {
      const claimed: Stored[] = [];
      let aside = 0;
      for (const entry of entries) {
        // A save that was not on disk yet may have moved it since.
        if (tx.get(entry) === undefined) continue;
        const { id } = parseDueKey(entry);
        const found = readRecord(tx, id);
        if (found === null) {
          tx.del(entry);
        } else if (found instanceof CorruptRecordError) {
          tx.del(entry);
          if (setAside(tx, id)) aside += 1;
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

function after(now: number, delayMs: number): number {
  return now + wholeDelay(delayMs);
}
