import type { Bounds } from '../store.js';
import { QueueFullError } from '../store.js';
import type { Transaction } from './commit.js';
import { CLOCK, queueKey, rangeOf } from './keys.js';
import type { LevelDisk } from './level.js';

interface Place {
  readonly caller: string;
  readonly tag: number;
  readonly bytes: number;
}

interface Entry extends Place {
  readonly id: string;
}

/**
 * The queue, in memory beside its entries on disk: start-time fair queuing at unit cost (Goyal, Vin and Cheng 1996).
 * An avatar's tag is one more than that of its caller's last, or the clock, which is the highest tag that was
 * submitted: so callers take turns, and who comes new is served next. Every change is the last thing a transaction
 * does, since one that throws is undone on disk alone.
 */
export class Queue {
  readonly #places = new Map<string, Place>();
  /** By tag, then id. */
  #order: Entry[] = [];
  readonly #lastTags = new Map<string, number>();
  #clock = 0;
  #bytes = 0;

  get size(): number {
    return this.#order.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Reads it anew. @throws StoreUnavailableError */
  async load(disk: LevelDisk): Promise<void> {
    const entries = await disk.entries(rangeOf('queue!'));
    this.#places.clear();
    this.#lastTags.clear();
    this.#bytes = 0;
    this.#clock = Number(disk.read(CLOCK)?.toString() ?? 0);
    this.#order = entries.map(([key, value]) => ({
      id: key.slice('queue!'.length),
      ...(JSON.parse(value.toString()) as Place),
    }));
    this.#order.sort(compare);
    for (const { id, ...place } of this.#order) this.#note(id, place);
  }

  /** @throws QueueFullError where an avatar with so many bytes does not fit */
  checkRoom({ maxAvatars, maxBytes }: Bounds, bytes: number): void {
    if (this.size + 1 > maxAvatars) throw new QueueFullError('avatars');
    if (this.#bytes + bytes > maxBytes) throw new QueueFullError('bytes');
  }

  /** The tag of a new avatar of a caller. */
  nextTag(caller: string): number {
    return Math.max(this.#clock, (this.#lastTags.get(caller) ?? 0) + 1);
  }

  enter(tx: Transaction, id: string, place: Place): void {
    if (this.#places.has(id)) return;
    tx.put(queueKey(id), Buffer.from(JSON.stringify(place)));
    this.#order.splice(this.#indexOf({ id, ...place }), 0, { id, ...place });
    this.#note(id, place);
  }

  /** @param submitted whether it left to be submitted, which is what time is counted by here */
  leave(tx: Transaction, id: string, submitted: boolean): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    tx.del(queueKey(id));
    this.#order.splice(this.#indexOf({ id, ...place }), 1);
    this.#places.delete(id);
    this.#bytes -= place.bytes;
    if (!submitted || place.tag <= this.#clock) return;
    this.#clock = place.tag;
    tx.put(CLOCK, Buffer.from(String(place.tag)));
    for (const [caller, tag] of this.#lastTags) if (tag < place.tag) this.#lastTags.delete(caller);
  }

  /** How many are before it; `null` where it is not queued. */
  ahead(id: string): number | null {
    const place = this.#places.get(id);
    return place === undefined ? null : this.#indexOf({ id, ...place });
  }

  first(count: number): string[] {
    return this.#order.slice(0, count).map(({ id }) => id);
  }

  #note(id: string, place: Place): void {
    this.#places.set(id, place);
    this.#bytes += place.bytes;
    this.#lastTags.set(place.caller, Math.max(place.tag, this.#lastTags.get(place.caller) ?? 0));
  }

  /** Where an entry is, or would be. */
  #indexOf(entry: Entry): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#order[middle] as Entry, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(a: Entry, b: Entry): number {
  return a.tag - b.tag || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
