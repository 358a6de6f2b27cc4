import { LRUCache } from 'lru-cache';
import type { Change, Found, Store } from './store.js';

/** Records are about 1 kB, with metadata some 30 kB at most. */
const MAX_ENTRIES = 5_000;

interface UnderWay {
  readonly found: Promise<Found | null>;
  readonly beganAt: number;
}

/**
 * Reads of a store from memory, where they were read less than `maxAgeMs` ago and nobody said since that they changed, here
 * or elsewhere. Equal reads at the same time are one. What is not there is not kept.
 */
export class CachedReads implements Pick<Store, 'find'> {
  readonly #store: Pick<Store, 'find' | 'onChange'>;
  readonly #maxAgeMs: number;
  readonly #kept: LRUCache<string, Found>;
  /** Reads that no change was heard of since they began. */
  readonly #underWay = new Map<string, UnderWay>();
  readonly #end: () => void;

  constructor(store: Pick<Store, 'find' | 'onChange'>, maxAgeMs: number) {
    this.#store = store;
    this.#maxAgeMs = maxAgeMs;
    this.#kept = new LRUCache({ max: MAX_ENTRIES, ttl: maxAgeMs, ttlResolution: 0 });
    this.#end = store.onChange((change) => this.#forget(change));
  }

  async find(caller: string, id: string): Promise<Found | null> {
    const key = keyOf(caller, id);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const underWay = this.#underWay.get(key);
    const isFresh = underWay !== undefined && performance.now() - underWay.beganAt < this.#maxAgeMs;
    return isFresh ? underWay.found : this.#read(key, caller, id);
  }

  close(): void {
    this.#end();
  }

  #read(key: string, caller: string, id: string): Promise<Found | null> {
    const beganAt = performance.now();
    const found = this.#store.find(caller, id);
    const read = { found, beganAt };
    this.#underWay.set(key, read);
    const ended = (found: Found | null) => {
      // A change that was heard of meanwhile, or a later read, has taken it out: it may be of before.
      if (this.#underWay.get(key) !== read) return;
      this.#underWay.delete(key);
      if (found !== null) this.#kept.set(key, found, { start: beganAt });
    };
    found.then(ended, () => ended(null));
    return found;
  }

  #forget(change: Change | null): void {
    if (change === null) {
      this.#kept.clear();
      this.#underWay.clear();
      return;
    }
    const key = keyOf(change.caller, change.id);
    this.#kept.delete(key);
    this.#underWay.delete(key);
  }
}

function keyOf(caller: string, id: string): string {
  return `${id} ${caller}`;
}
