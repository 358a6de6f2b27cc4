import type { CallTerms, Store } from '../../store/store.js';

/** Above this age, what is known of the document is read again before it is changed. */
const STALE_MS = 500;

/** How a document is written down. `read` gives the fallback for what it cannot use. */
export interface Codec<T> {
  read(text: string | null): T;
  write(value: T): string;
}

interface Known<T> {
  readonly value: T;
  readonly revision: number;
  /** What the store's clock said between `askedAt` and `heardAt`, which are this process's. */
  readonly now: number;
  readonly askedAt: number;
  readonly heardAt: number;
}

/**
 * Bounds of the store's clock, since a reply arrives some time after it was given. A time to wait is set from `atMost` and
 * checked against `atLeast`, so that it is never cut short.
 */
export interface StoreTime {
  readonly atLeast: number;
  readonly atMost: number;
}

type Change<T, R> = (value: T, time: StoreTime) => { readonly value: T; readonly result: R };

/**
 * A small document that all replicas share and change by compare-and-swap. Changes of one process follow each other,
 * so that it competes with other processes only.
 */
export class CasDocument<T> {
  readonly #store: Store;
  readonly #name: string;
  readonly #codec: Codec<T>;
  #known: Known<T> | null = null;
  /** The document may be another by now: it is read before it is changed. */
  #inDoubt = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param name ends in the version of its form: a release that changes the form changes the name */
  constructor(store: Store, name: string, codec: Codec<T>) {
    this.#store = store;
    this.#name = name;
    this.#codec = codec;
  }

  /** The document as it was last seen here; the fallback before that. */
  get value(): T {
    return this.#known?.value ?? this.#codec.read(null);
  }

  /** Which revision {@link value} is. */
  get asOf(): NonNullable<CallTerms['asOf']> {
    return { document: this.#name, revision: this.#known?.revision ?? 0 };
  }

  /** Resolves when the changes that were begun here are made, or have failed. */
  changed(): Promise<unknown> {
    return this.#last;
  }

  /** The store says that it was changed since: it is read again before it is used. */
  outdate(): void {
    this.#inDoubt = true;
  }

  /** The store's clock, carried on from when the document was last seen; this machine's before that. */
  get now(): number {
    return this.#known === null ? Date.now() : timeOf(this.#known).atLeast;
  }

  /** The store's clock, asked for where it was never heard. @throws {StoreUnavailableError} */
  async storeNow(): Promise<number> {
    return timeOf(this.#known ?? (await this.#fresh())).atLeast;
  }

  /** Reads the document where what is known of it is old. @throws {StoreUnavailableError} */
  async refresh(): Promise<T> {
    return (await this.#fresh()).value;
  }

  /**
   * Changes the document. `change` may run several times, on newer values; the last run counts. One that returns the
   * value it was given writes nothing.
   * @throws {StoreUnavailableError} when it is not known whether it was changed
   */
  change<R>(change: Change<T, R>): Promise<R> {
    const changed = this.#last.then(() => this.#change(change));
    this.#last = changed.catch(() => undefined);
    return changed;
  }

  async #change<R>(change: Change<T, R>): Promise<R> {
    let known = await this.#fresh();
    for (;;) {
      const { value, result } = change(known.value, timeOf(known));
      if (value === known.value) return result;
      const swapped = await this.#swap(known, value);
      if (swapped) return result;
      known = this.#known ?? (await this.#fresh());
    }
  }

  async #fresh(): Promise<Known<T>> {
    const known = this.#known;
    if (known !== null && !this.#inDoubt && performance.now() - known.heardAt < STALE_MS) return known;
    const askedAt = performance.now();
    const { value, revision, now } = await this.#store.document(this.#name);
    // One that came back older may have come to the same revision by other changes.
    return this.#keep(this.#codec.read(value), revision, now, askedAt);
  }

  async #swap({ revision }: Known<T>, value: T): Promise<boolean> {
    const askedAt = performance.now();
    try {
      const text = this.#codec.write(value);
      const found = await this.#store.swap(this.#name, revision, text);
      this.#keep(found.swapped ? value : this.#codec.read(found.value), found.revision, found.now, askedAt);
      return found.swapped;
    } catch (error) {
      this.#inDoubt = true;
      throw error;
    }
  }

  #keep(value: T, revision: number, now: number, askedAt: number): Known<T> {
    const known = { value, revision, now, askedAt, heardAt: performance.now() };
    this.#known = known;
    this.#inDoubt = false;
    return known;
  }
}

function timeOf({ now, askedAt, heardAt }: Known<unknown>): StoreTime {
  const here = performance.now();
  return { atLeast: Math.floor(now + (here - heardAt)), atMost: Math.ceil(now + (here - askedAt)) };
}

/** A document in JSON; one that `isUsable` refuses gives way to the fallback. */
export function jsonCodec<T>(fallback: () => T, isUsable: (value: unknown) => value is T): Codec<T> {
  return {
    read(text) {
      if (text === null) return fallback();
      try {
        const value: unknown = JSON.parse(text);
        return isUsable(value) ? value : fallback();
      } catch {
        return fallback();
      }
    },
    write: (value) => JSON.stringify(value),
  };
}
