import { LRUCache } from 'lru-cache';
import { EVERYONE, type Scope } from '../domain/caller.js';
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

  async find(scope: Scope, id: string): Promise<Found | null> {
    const key = keyOf(scope, id);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const underWay = this.#underWay.get(key);
    const isFresh = underWay !== undefined && performance.now() - underWay.beganAt < this.#maxAgeMs;
    return isFresh ? underWay.found : this.#read(key, scope, id);
  }

  close(): void {
    this.#end();
  }

  #read(key: string, scope: Scope, id: string): Promise<Found | null> {
    const beganAt = performance.now();
    const found = this.#store.find(scope, id);
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
