import { join } from 'node:path';
import { GroupCommit, type Transaction } from './commit.js';
import { LevelDisk } from './level.js';
import { Media } from './media.js';
import { Places } from './places.js';
import { Queue } from './queue.js';
import { setAside } from './records.js';
import { Slots } from './slots.js';
import { Unfinished } from './unfinished.js';

/** What every call works with: the disk, what is kept in memory beside it, and the clock. */
export class Engine {
  readonly disk: LevelDisk;
  readonly now: () => number;
  readonly queue = new Queue();
  readonly slots = new Slots();
  readonly unfinished = new Unfinished();
  readonly places = new Places();
  readonly media: Media;
  readonly #commit: GroupCommit;
  /** What is in memory may not be what is on disk. */
  #stale = true;
  #loading: Promise<void> | null = null;
  #aside = 0;
  #corrupt = 0;

  private constructor(dir: string, disk: LevelDisk, now: () => number) {
    this.disk = disk;
    this.media = new Media(join(dir, 'media'));
    this.now = () => Math.floor(now());
    this.#commit = new GroupCommit(disk);
  }

  /** @throws StoreLockedError, StoreUnavailableError */
  static async open(dir: string, now: () => number): Promise<Engine> {
    const engine = new Engine(dir, await LevelDisk.open(dir), now);
    try {
      await engine.ready();
    } catch (error) {
      await engine.close();
      throw error;
    }
    return engine;
  }

  /** How many records were set aside. */
  get corrupt(): number {
    return this.#corrupt;
  }

  /** After a write failed, what is in memory is ahead of the disk: it is read anew before anything else is done. */
  async ready(): Promise<void> {
    if (this.disk.failed || this.#stale) {
      this.#loading ??= this.#load().finally(() => {
        this.#loading = null;
      });
      await this.#loading;
    }
    this.disk.check();
  }

  async transact<T>(work: (tx: Transaction) => T): Promise<T> {
    await this.ready();
    this.#aside = 0;
    const done = this.#commit.transact(work); // The work itself is done when this returns.
    const aside = this.#aside;
    const result = await done;
    this.#corrupt += aside;
    return result;
  }

  /** Moves what cannot be read out of the way, and gives back all that it held. */
  setAside(tx: Transaction, id: string): void {
    if (setAside(tx, id)) this.#aside += 1;
    this.slots.release(tx, id);
    this.queue.leave(tx, id, false);
    this.unfinished.leave(tx, id);
  }

  async close(): Promise<void> {
    await this.#commit.drain();
    await this.disk.close();
  }

  async #load(): Promise<void> {
    this.#stale = true;
    await this.disk.recover();
    await this.queue.load(this.disk);
    await this.slots.load(this.disk);
    await this.unfinished.load(this.disk);
    await this.places.load(this.disk);
    await this.media.load(this.disk);
    this.#stale = false;
  }
}
