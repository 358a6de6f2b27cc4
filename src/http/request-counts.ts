import { LRUCache } from 'lru-cache';

/** Where more are counted at once, those that were not heard of for longest begin anew. */
const MAX_NAMES = 50_000;
/** How often the others are told, at most: what they let through meanwhile is counted late. */
const SHARE_EVERY_MS = 250;
/** So many names at a time, so that no store is held up by it. */
const NAMES_AT_ONCE = 500;

/** `leftMs`: until the count begins anew. */
export interface Count {
  readonly count: number;
  readonly leftMs: number;
}

/** Adds to counts that all replicas share, in windows that begin with the first; resolves with what they then are. */
export type Share = (
  added: ReadonlyMap<string, number>,
  windowMs: number,
) => Promise<ReadonlyMap<string, Count>>;

interface Window {
  /** By all replicas, as far as is known. */
  count: number;
  /** Of these, how many the others were not told of. */
  unshared: number;
  endsAt: number;
}

/** In whole ms, whatever becomes of the machine's time of day. */
const clock = () => Math.floor(performance.now());

/**
 * Counts in windows of time: at once and in memory, while replicas tell each other in the background, so that nobody waits for
 * it.
 */
export class RequestCounts {
  readonly #windowMs: number;
  readonly #share: Share | null;
  readonly #onFailure: (error: unknown) => void;
  readonly #unshared = new Set<string>();
  readonly #windows = new LRUCache<string, Window>({
    max: MAX_NAMES,
    dispose: (_window, name) => this.#unshared.delete(name),
  });
  #failure: unknown = null;
  #timer: NodeJS.Timeout | undefined;
  #isTelling = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  /**
   * @param share `null`: there are no other replicas
   * @param onFailure called when the others cannot be told any more
   */
  constructor(windowMs: number, share: Share | null, onFailure: (error: unknown) => void) {
    this.#windowMs = windowMs;
    this.#share = share;
    this.#onFailure = onFailure;
  }

  /** Why the others cannot be told; `null` while they can. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Counts one more. */
  add(name: string): Count {
    const now = clock();
    let window = this.#windows.get(name);
    if (window === undefined || window.endsAt <= now) {
      window = { count: 0, unshared: 0, endsAt: now + this.#windowMs };
      this.#windows.set(name, window);
    }
    window.count += 1;
    if (this.#share !== null) {
      window.unshared += 1;
      this.#unshared.add(name);
      this.#tellSoon(this.#share);
    }
    return { count: window.count, leftMs: window.endsAt - now };
  }

  close(): void {
    this.#isTelling = true;
    clearTimeout(this.#timer);
  }

  #tellSoon(share: Share): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const inMs = Math.max(0, this.#toldAt + SHARE_EVERY_MS - clock());
    this.#timer = setTimeout(() => void this.#tell(share), inMs).unref();
  }

  async #tell(share: Share): Promise<void> {
    this.#toldAt = clock();
    const windows = this.#takeUnshared();
    const added = new Map(Array.from(windows, ([name, { unshared }]) => [name, unshared]));
    for (const window of windows.values()) window.unshared = 0;
    try {
      const counts = await share(added, this.#windowMs);
      for (const [name, { count, leftMs }] of counts) {
        const window = windows.get(name);
        if (window === undefined) continue;
        window.count = count + window.unshared;
        window.endsAt = clock() + leftMs;
      }
      this.#failure = null;
    } catch (error) {
      for (const [name, window] of windows) {
        window.unshared += added.get(name) ?? 0;
        if (this.#windows.peek(name) === window) this.#unshared.add(name);
      }
      if (this.#failure === null) this.#onFailure(error);
      this.#failure = error;
    }
    this.#isTelling = false;
    // Until it succeeds, be there something to tell or not: it is then known that the others can be told.
    if (this.#failure !== null || this.#unshared.size > 0) this.#tellSoon(share);
  }

  /** Some that the others were not told of, without those that are over. */
  #takeUnshared(): Map<string, Window> {
    const taken = new Map<string, Window>();
    for (const name of this.#unshared) {
      if (taken.size === NAMES_AT_ONCE) break;
      this.#unshared.delete(name);
      const window = this.#windows.peek(name);
      if (window !== undefined && window.endsAt > this.#toldAt) taken.set(name, window);
    }
    return taken;
  }
}
