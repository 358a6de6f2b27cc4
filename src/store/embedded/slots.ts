import type { Transaction } from './commit.js';
import { laneKey, rangeOf, slotKey } from './keys.js';
import type { LevelDisk } from './level.js';

/**
 * Which avatars hold a slot of which key, and until when; and every key that ever had a due index. In memory beside
 * its entries on disk.
 */
export class Slots {
  readonly #held = new Map<string, Map<string, number>>();
  readonly #lanes = new Set<string>();

  /** Reads them anew. @throws StoreUnavailableError */
  async load(disk: LevelDisk): Promise<void> {
    const [held, lanes] = [await disk.entries(rangeOf('slot!')), await disk.entries(rangeOf('lanes!'))];
    this.#held.clear();
    this.#lanes.clear();
    for (const [key] of lanes) this.#lanes.add(key.slice('lanes!'.length));
    for (const [key, value] of held) {
      const [, keyId = '', id = ''] = key.split('!');
      this.#of(keyId).set(id, value.length === 0 ? Number.POSITIVE_INFINITY : Number(value.toString()));
    }
  }

  lanes(): string[] {
    return [...this.#lanes];
  }

  noteLane(tx: Transaction, lane: string): void {
    if (this.#lanes.has(lane)) return;
    tx.put(laneKey(lane), Buffer.alloc(0));
    tx.also(() => this.#lanes.add(lane));
  }

  count(keyId: string, now: number): number {
    let count = 0;
    for (const until of this.#held.get(keyId)?.values() ?? []) if (until > now) count += 1;
    return count;
  }

  holds(keyId: string, id: string, now: number): boolean {
    return (this.#held.get(keyId)?.get(id) ?? 0) > now;
  }

  /** @param until `Infinity` while the avatar is unfinished */
  hold(tx: Transaction, keyId: string, id: string, until: number): void {
    tx.put(slotKey(keyId, id), Buffer.from(until === Number.POSITIVE_INFINITY ? '' : String(until)));
    tx.also(() => this.#of(keyId).set(id, until));
  }

  /** Whatever it holds, of whichever key: that of a record that cannot be read is not known. */
  release(tx: Transaction, id: string): void {
    for (const [keyId, held] of this.#held) {
      if (!held.has(id)) continue;
      tx.del(slotKey(keyId, id));
      tx.also(() => held.delete(id));
    }
  }

  #of(keyId: string): Map<string, number> {
    const held = this.#held.get(keyId) ?? new Map<string, number>();
    this.#held.set(keyId, held);
    return held;
  }
}
