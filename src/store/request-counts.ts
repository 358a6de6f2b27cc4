import { LRUCache } from 'lru-cache';
import type { Hits, Store } from './store.js';

/** Where more are counted at once, those that were not heard of for longest begin anew. */
const MAX_NAMES = 50_000;
/** How often the others are told, at most: what they let through meanwhile is counted late. */
const SHARE_EVERY_MS = 250;
/** So many names at a time, so that no store is held up by it. */
const NAMES_AT_ONCE = 500;

interface Window {
  /** By all replicas, as far as is known. */
  count: number;
  /** Of these, how many the others were not told of. */
  unshared: number;
  endsAt: number;
}

/** In whole ms, whatever becomes of the machine's time of day. */
const clock = () => Math.floor(performance.now());

/** Counts in windows of time that begin with the first: at once and in memory, and soon together with other replicas. */
export class RequestCounts {
  /** Why the others cannot be told; `null` while they can. */
  failure: unknown = null;
  readonly #windowMs: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #unshared = new Map<string, Window>();
  readonly #windows = new LRUCache<string, Window>({
    max: MAX_NAMES,
    dispose: (_window, name) => this.#unshared.delete(name),
  });
  #share: Store['count'];
  /** Set from when the others are to be told until they were. */
  #telling: NodeJS.Timeout | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  /** @param onFailure called when the others cannot be told any more */
  constructor(store: Pick<Store, 'count'>, windowMs: number, onFailure: (error: unknown) => void) {
    this.#share = store.count?.bind(store) ?? null;
    this.#windowMs = windowMs;
    this.#onFailure = onFailure;
  }

  /** Counts one more. */
  add(name: string): Hits {
    const now = clock();
    let window = this.#windows.get(name);
    if (window === undefined || window.endsAt <= now) {
      window = { count: 0, unshared: 0, endsAt: now + this.#windowMs };
      this.#windows.set(name, window);
    }
    window.count += 1;
    window.unshared += 1;
    if (this.#share !== null) {
      this.#unshared.set(name, window);
      this.#tellSoon(this.#share);
    }
    return { count: window.count, leftMs: window.endsAt - now };
  }

  close(): void {
    this.#share = null;
    clearTimeout(this.#telling);
  }

  #tellSoon(share: NonNullable<Store['count']>): void {
    if (this.#telling !== undefined) return;
    const inMs = Math.max(0, this.#toldAt + SHARE_EVERY_MS - clock());
    this.#telling = setTimeout(() => void this.#tell(share), inMs).unref();
  }

  async #tell(share: NonNullable<Store['count']>): Promise<void> {
    this.#toldAt = clock();
    const windows = this.#takeUnshared();
    const added = new Map(Array.from(windows, ([name, { unshared }]) => [name, unshared]));
    for (const window of windows.values()) window.unshared = 0;
    try {
      for (const [name, { count, leftMs }] of await share(added, this.#windowMs)) {
        const window = windows.get(name);
        if (window === undefined) continue;
        window.count = count + window.unshared;
        window.endsAt = clock() + leftMs;
      }
      this.failure = null;
    } catch (error) {
      for (const [name, window] of windows) {
        window.unshared += added.get(name) ?? 0;
        if (this.#windows.peek(name) === window) this.#unshared.set(name, window);
      }
      if (this.failure === null) this.#onFailure(error);
      this.failure = error;
    }
    this.#telling = undefined;
    // Until it succeeds, be there something to tell or not: it is then known that the others can be told.
    if (this.#share !== null && (this.failure !== null || this.#unshared.size > 0)) this.#tellSoon(share);
  }

  /** Some that the others were not told of, without those that are over. */
  #takeUnshared(): Map<string, Window> {
    const taken = new Map<string, Window>();
    for (const [name, window] of this.#unshared) {
      if (taken.size === NAMES_AT_ONCE) break;
      this.#unshared.delete(name);
      if (window.endsAt > this.#toldAt) taken.set(name, window);
    }
    return taken;
  }
}
