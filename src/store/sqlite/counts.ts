import { LRUCache } from 'lru-cache';
import type { Hits } from '../store.js';

/** Where more are counted at once, those that were not heard of for longest begin anew. */
const MAX_NAMES = 50_000;

interface Window {
  count: number;
  /** In ms since the epoch. */
  readonly endsAt: number;
}

/** What is counted in windows of time, in memory: the one process there is forgets it with itself. */
export class Counts {
  readonly #now: () => number;
  readonly #windows = new LRUCache<string, Window>({ max: MAX_NAMES });

  constructor(now: () => number) {
    this.#now = now;
  }

  /** See `Store.hit`. */
  hit(name: string, windowMs: number): Hits {
    const now = this.#now();
    let window = this.#windows.get(name);
    // Also one that ends later than it can: the clock was set back.
    if (window === undefined || window.endsAt <= now || window.endsAt > now + windowMs) {
      window = { count: 0, endsAt: now + windowMs };
      this.#windows.set(name, window);
    }
    window.count += 1;
    return { count: window.count, leftMs: window.endsAt - now };
  }
}
