import { callerDigest } from '../digests.js';
import type { Transaction } from './commit.js';
import { decodeMeta, decodePlace, metaKey, rangeOf } from './keys.js';
import type { LevelDisk } from './level.js';

/**
 * How many avatars of each caller are unfinished: in memory, read from the queue and the slots on disk, of which they all
 * hold one. Callers are said by their digests.
 */
export class Unfinished {
  readonly #callers = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** Reads them anew. @throws StoreUnavailableError */
  async load(disk: LevelDisk): Promise<void> {
    const queued = await disk.entries(rangeOf('queue!'));
    const slots = await disk.entries(rangeOf('slot!'));
    this.#callers.clear();
    this.#counts.clear();
    for (const [key, value] of queued) {
      const place = decodePlace(value);
      if (place !== null) this.#note(key.slice('queue!'.length), callerDigest(place.caller));
    }
    for (const [key, value] of slots) {
      const [, , id = ''] = key.split('!');
      // One that holds it for a while only is final.
      const caller = value.length === 0 ? listedCaller(disk, id) : null;
      if (caller !== null) this.#note(id, caller);
    }
  }

  count(caller: string): number {
    return this.#counts.get(caller) ?? 0;
  }

  enter(tx: Transaction, id: string, caller: string): void {
    tx.also(() => this.#note(id, caller));
  }

  leave(tx: Transaction, id: string): void {
    tx.also(() => this.#forget(id));
  }

  #note(id: string, caller: string): void {
    this.#forget(id);
    this.#callers.set(id, caller);
    this.#counts.set(caller, this.count(caller) + 1);
  }

  #forget(id: string): void {
    const caller = this.#callers.get(id);
    if (caller === undefined) return;
    this.#callers.delete(id);
    const left = this.count(caller) - 1;
    if (left > 0) this.#counts.set(caller, left);
    else this.#counts.delete(caller);
  }
}

/** `null` where that cannot be known: the record is damaged, or of a release that had no lists. */
function listedCaller(disk: LevelDisk, id: string): string | null {
  const meta = disk.read(metaKey(id));
  try {
    return meta === undefined ? null : (decodeMeta(id, meta).listing?.caller ?? null);
  } catch {
    return null;
  }
}
