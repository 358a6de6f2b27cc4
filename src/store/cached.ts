import { setImmediate as immediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { EVERYONE, type Scope } from '../domain/caller.js';
import type { Change, Found, Store } from './store.js';

const MAX_ENTRIES = 5_000;
/** Of what callers wrote: a record is about 1 kB, with metadata some 30 kB at most. */
const MAX_BYTES = 16 * 1024 * 1024;
/** What there is of a record beside that, about. */
const OWN_BYTES = 1024;

interface Read {
  readonly found: Promise<Found | null>;
  /** `Infinity` until the store is asked. */
  beganAt: number;
}

interface Kept {
  readonly found: Found;
  readAt: number;
}

export interface CachedReadsOptions {
  /** How old a read may be where no change was heard of, in ms. */
  readonly maxAgeMs: number;
  /** Whether every change is heard of, since nobody else writes: a read is as good as new until then. */
  readonly hearsAll: boolean;
}

/**
 * Reads of a store from memory, until a change is heard of; what is older than it may be is asked for by its version. Equal reads in
 * one turn of the event loop are one, and so are those that are young enough. What is not there is not kept,
 * nor for longer than `maxAgeMs` what is queued: its place changes with others.
 */
export class CachedReads implements Pick<Store, 'find'> {
  readonly #store: Pick<Store, 'find' | 'onChange'>;
  readonly #options: CachedReadsOptions;
  readonly #kept = new LRUCache<string, Kept>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ found: { avatar } }) =>
      OWN_BYTES + (avatar.prompt?.length ?? 0) + JSON.stringify(avatar.metadata).length,
  });
  /** Reads that no change was heard of since they began. */
  readonly #underWay = new Map<string, Read>();
  readonly #end: () => void;

  constructor(store: Pick<Store, 'find' | 'onChange'>, options: CachedReadsOptions) {
    this.#store = store;
    this.#options = options;
    this.#end = store.onChange((change) => this.#forget(change));
  }

  async find(scope: Scope, id: string): Promise<Found | null> {
    const key = keyOf(scope, id);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#isGood(kept)) return kept.found;
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined && this.#isYoung(underWay.beganAt)) return underWay.found;
    return this.#read(key, scope, id, kept);
  }

  close(): void {
    this.#end();
  }

  #isGood({ found, readAt }: Kept): boolean {
    const isSettled = this.#options.hearsAll && found.avatar.status !== 'queued';
    return isSettled || this.#isYoung(readAt);
  }

  #isYoung(since: number): boolean {
    return performance.now() - since < this.#options.maxAgeMs;
  }

  #read(key: string, scope: Scope, id: string, kept: Kept | undefined): Promise<Found | null> {
    const read: Read = {
      beganAt: Number.POSITIVE_INFINITY,
      found: immediate().then(() => {
        read.beganAt = performance.now();
        return this.#store.find(scope, id, kept?.found);
      }),
    };
    this.#underWay.set(key, read);
    const ended = (found: Found | null) => {
      // A change that was heard of meanwhile, or a later read, has taken it out: it may be of before.
      if (this.#underWay.get(key) !== read) return;
      this.#underWay.delete(key);
      if (found !== null && found === kept?.found) kept.readAt = read.beganAt;
      else if (found !== null) this.#kept.set(key, { found, readAt: read.beganAt });
    };
    read.found.then(ended, () => ended(null));
    return read.found;
  }

  #forget(change: Change | null): void {
    if (change === null) {
      this.#kept.clear();
      this.#underWay.clear();
      return;
    }
    for (const scope of [change.caller, EVERYONE] as const) {
      const key = keyOf(scope, change.id);
      this.#kept.delete(key);
      this.#underWay.delete(key);
    }
  }
}

/** Ids come from outside and names may hold anything: the length keeps them apart. */
function keyOf(scope: Scope, id: string): string {
  return `${id.length} ${id}${scope === EVERYONE ? '' : ` ${scope}`}`;
}
