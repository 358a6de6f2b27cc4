/**
 * Group commit: transactions that run while a batch is on its way to the disk share the next batch, so that a
 * hundred of them cost two flushes rather than a hundred.
 *
 * A transaction is a synchronous function. It sees what the transactions before it wrote, on disk or not, and its
 * promise settles only once everything it wrote and everything it saw is on disk.
 */

/** Key to new value; `null` deletes. */
export type Changes = ReadonlyMap<string, Buffer | null>;

/** What the group commit needs below it. */
export interface Disk {
  read(key: string): Buffer | undefined;
  /** All or nothing. Resolves once it would survive a power cut; rejects with nothing of it to be read. */
  write(changes: Changes): Promise<void>;
}

export interface Transaction {
  get(key: string): Buffer | undefined;
  put(key: string, value: Buffer): void;
  del(key: string): void;
  /** Runs `effect` once the work is through and has not thrown: for what is kept in memory beside the disk. */
  also(effect: () => void): void;
  /** Runs `effect`, which never rejects, once the work is on disk. The transaction's promise waits for it. */
  afterwards(effect: () => Promise<void>): void;
}

class Batch {
  readonly changes = new Map<string, Buffer | null>();
  readonly written: Promise<void>;
  settle!: (error?: unknown) => void;

  constructor() {
    this.written = new Promise((resolve, reject) => {
      this.settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.written.catch(() => {}); // Those who wait on it hear of it; that nobody does is no fault.
  }
}

export class GroupCommit {
  readonly #disk: Disk;
  #collecting: Batch | null = null;
  #writing: Batch | null = null;
  #flushing: Promise<void> | null = null;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /**
   * Runs `work` now. What it throws undoes it. The promise rejects with the disk's error if its batch, or one that
   * it read from, could not be written.
   */
  async transact<T>(work: (tx: Transaction) => T): Promise<T> {
    const own = new Map<string, Buffer | null>();
    const effects: (() => void)[] = [];
    const later: (() => Promise<void>)[] = [];
    let seen: Batch | null = null;
    const result = work({
      get: (key) => {
        const mine = own.get(key);
        if (mine !== undefined) return mine ?? undefined;
        for (const batch of [this.#collecting, this.#writing]) {
          const value = batch?.changes.get(key);
          if (value === undefined) continue;
          // The batch that collects waits for the one being written, and falls with it: the later one says it all.
          if (seen === null || batch === this.#collecting) seen = batch;
          return value ?? undefined;
        }
        return this.#disk.read(key);
      },
      put(key, value) {
        own.set(key, value);
      },
      del(key) {
        own.set(key, null);
      },
      also(effect) {
        effects.push(effect);
      },
      afterwards(effect) {
        later.push(effect);
      },
    });
    for (const effect of effects) effect();
    await (own.size > 0 ? this.#add(own) : seen)?.written;
    await Promise.all(later.map((effect) => effect()));
    return result;
  }

  /** Resolves when nothing is on its way to the disk any more. */
  async drain(): Promise<void> {
    await this.#flushing;
  }

  #add(changes: Changes): Batch {
    this.#collecting ??= new Batch();
    for (const [key, value] of changes) this.#collecting.changes.set(key, value);
    this.#flushing ??= this.#flush();
    return this.#collecting;
  }

  async #flush(): Promise<void> {
    await null; // What runs in the same turn of the event loop shares the first batch.
    while (this.#collecting !== null) {
      const batch: Batch = this.#collecting;
      this.#writing = batch;
      this.#collecting = null;
      try {
        await this.#disk.write(batch.changes);
        this.#writing = null;
        batch.settle();
      } catch (error) {
        // What was collected meanwhile may rest on what is lost now.
        this.#fail(error, batch);
      }
    }
    this.#flushing = null;
  }

  #fail(error: unknown, batch: Batch): void {
    const collected: Batch | null = this.#collecting;
    this.#collecting = null;
    this.#writing = null;
    batch.settle(error);
    collected?.settle(error);
  }
}
