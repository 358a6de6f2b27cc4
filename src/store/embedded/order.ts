import type { Place } from './keys.js';

interface Entry extends Place {
  readonly id: string;
}

/** Places by tag, then id. A rank costs a binary search; a change moves pointers, of which there are few enough. */
export class Order {
  readonly #places = new Map<string, Entry>();
  #sorted: Entry[] = [];
  #bytes = 0;

  get size(): number {
    return this.#sorted.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(id: string): Place | undefined {
    return this.#places.get(id);
  }

  /** Replaces everything. */
  fill(entries: readonly Entry[]): void {
    this.#sorted = entries.toSorted(compare);
    this.#bytes = 0;
    this.#places.clear();
    for (const entry of entries) this.#note(entry);
  }

  put(entry: Entry): void {
    this.delete(entry.id);
    this.#sorted.splice(this.#indexOf(entry), 0, entry);
    this.#note(entry);
  }

  delete(id: string): void {
    const entry = this.#places.get(id);
    if (entry === undefined) return;
    this.#sorted.splice(this.#indexOf(entry), 1);
    this.#places.delete(id);
    this.#bytes -= entry.bytes;
  }

  rank(id: string): number | null {
    const entry = this.#places.get(id);
    return entry === undefined ? null : this.#indexOf(entry);
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.#sorted[Symbol.iterator]();
  }

  #note(entry: Entry): void {
    this.#places.set(entry.id, entry);
    this.#bytes += entry.bytes;
  }

  /** Where an entry is, or would be. */
  #indexOf(entry: Entry): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#sorted[middle] as Entry, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(a: Entry, b: Entry): number {
  return a.tag - b.tag || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
