/**
 * LevelDB as a {@link Disk}: every write flushed, and a failed write taken back.
 *
 * LevelDB goes on after a failed write, but what it appends behind the torn one can be lost when the log is next
 * read, and a write whose flush failed can come back from the dead. So after a failure nothing is read or written
 * until the database was closed, opened again (which reads the log and starts a new one) and the keys of the failed
 * write put back.
 */

import { ClassicLevel } from 'classic-level';
import { makeDir } from '../../disk/make-dir.js';
import { StoreLockedError, StoreUnavailableError } from '../store.js';
import type { Changes, Disk } from './commit.js';

type Level = ClassicLevel<string, Buffer>;

/** Between two attempts to open a database again. */
const RECOVERY_PAUSE_MS = 1000;

interface Range {
  readonly gt: string;
  readonly lt: string;
  /** The first ones only; the last ones where it is read in reverse. */
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** The disk as it is at one moment. */
export interface View {
  get(key: string): Promise<Buffer | undefined>;
  keys(range: Range): Promise<string[]>;
  entries(range: Range): Promise<[string, Buffer][]>;
}

export class LevelDisk implements Disk {
  readonly #dir: string;
  #level: Level;
  #closed = false;
  /** What the failed write would have changed, as it was before. Not null: the disk waits for {@link recover}. */
  #undo: Changes | null = null;
  #recovery: Promise<void> | null = null;
  #failedAt = Number.NEGATIVE_INFINITY;

  private constructor(dir: string, level: Level) {
    this.#dir = dir;
    this.#level = level;
  }

  /** @throws StoreLockedError, StoreUnavailableError */
  static async open(dir: string): Promise<LevelDisk> {
    return new LevelDisk(dir, await openLevel(dir));
  }

  /** Whether a write failed and {@link recover} has not succeeded since. */
  get failed(): boolean {
    return this.#undo !== null;
  }

  /** @throws StoreUnavailableError when it is closed, or waits for {@link recover} */
  check(): void {
    if (this.#closed) throw closed();
    if (this.#undo !== null) throw failed();
  }

  read(key: string): Buffer | undefined {
    this.check();
    try {
      return this.#level.getSync(key);
    } catch (cause) {
      throw unavailable('cannot be read', cause);
    }
  }

  /** Several reads of which none sees what is written meanwhile. */
  async view<T>(read: (view: View) => Promise<T>): Promise<T> {
    this.check();
    try {
      const snapshot = this.#level.snapshot();
      try {
        return await read({
          get: (key) => this.#level.get(key, { snapshot }),
          keys: (range) => this.#level.keys({ ...range, snapshot }).all(),
          entries: (range) => this.#level.iterator({ ...range, snapshot }).all(),
        });
      } finally {
        await snapshot.close();
      }
    } catch (cause) {
      throw unavailable('cannot be read', cause);
    }
  }

  /** The keys in a range, in order. */
  async keys(range: Range): Promise<string[]> {
    this.check();
    try {
      return await this.#level.keys(range).all();
    } catch (cause) {
      throw unavailable('cannot be read', cause);
    }
  }

  /** All entries in a range, in the order of their keys. */
  async entries(range: { gt: string; lt: string }): Promise<[string, Buffer][]> {
    this.check();
    try {
      return await this.#level.iterator(range).all();
    } catch (cause) {
      throw unavailable('cannot be read', cause);
    }
  }

  async write(changes: Changes): Promise<void> {
    this.check();
    try {
      await put(this.#level, changes);
    } catch (cause) {
      this.#undo = this.#before(changes);
      throw unavailable('cannot be written', cause);
    }
  }

  /** Makes the disk usable again after a failed write. @throws StoreUnavailableError when it cannot be, yet */
  async recover(): Promise<void> {
    if (this.#closed) throw closed();
    if (this.#undo === null) return;
    if (this.#recovery === null && performance.now() - this.#failedAt < RECOVERY_PAUSE_MS) throw failed();
    this.#recovery ??= this.#reopen(this.#undo).finally(() => {
      this.#recovery = null;
    });
    await this.#recovery;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#recovery?.catch(() => {});
    await this.#level.close();
  }

  async #reopen(undo: Changes): Promise<void> {
    try {
      await this.#level.close();
      this.#level = await openLevel(this.#dir);
      await put(this.#level, undo);
      this.#undo = null;
    } catch (cause) {
      this.#failedAt = performance.now();
      throw cause instanceof StoreLockedError ? cause : unavailable('cannot be written', cause);
    }
  }

  /** LevelDB shows a batch only once it is written, so what it shows now is what was there before. */
  #before(changes: Changes): Changes {
    const before = new Map<string, Buffer | null>();
    for (const key of changes.keys()) before.set(key, this.#level.getSync(key) ?? null);
    return before;
  }
}

async function openLevel(dir: string): Promise<Level> {
  try {
    // Prompts and media lie here: for this user only, where the directory is ours to make.
    makeDir(dir);
    const level: Level = new ClassicLevel(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
    await level.open();
    return level;
  } catch (cause) {
    if (codes(cause).includes('LEVEL_LOCKED')) throw new StoreLockedError(dir, { cause });
    throw new StoreUnavailableError(`the data directory ${dir} cannot be opened`, { cause });
  }
}

async function put(level: Level, changes: Changes): Promise<void> {
  await level.batch(
    Array.from(changes, ([key, value]) =>
      value === null ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
    ),
    { sync: true },
  );
}

/** The error codes of an error and of its causes. */
function codes(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  return ['code' in error ? error.code : undefined, ...codes(error.cause)];
}

const unavailable = (what: string, cause: unknown): StoreUnavailableError =>
  new StoreUnavailableError(`the data directory ${what}`, { cause });
const failed = (): StoreUnavailableError =>
  new StoreUnavailableError('the data directory could not be written, and is not usable again yet');
const closed = (): StoreUnavailableError => new StoreUnavailableError('the store is closed');
