import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';

/** Where there are more, those that were not heard of for longest are forgotten. */
const MAX_ADDRESSES = 10_000;
/** So much may wait at once for one address and go first: what is more is a crowd. */
const MAX_WAITING = 10;

/** Addresses from which somebody was served well before. */
export class KnownAddresses {
  readonly #known = new LRUCache<string, true>({ max: MAX_ADDRESSES });
  readonly #waiting = new Map<string, number>();

  add({ remoteAddress }: Socket): void {
    if (remoteAddress !== undefined) this.#known.set(remoteAddress, true);
  }

  /**
   * @returns what to do in place of `begin`, when its turn has come; `null`: the address is not known, or waits for so much that this
   *   has to stand with the crowd
   */
  admit({ remoteAddress }: Socket, begin: () => void): (() => void) | null {
    if (remoteAddress === undefined || !this.#known.has(remoteAddress)) return null;
    const before = this.#waiting.get(remoteAddress) ?? 0;
    if (before >= MAX_WAITING) return null;
    this.#waiting.set(remoteAddress, before + 1);
    return () => {
      const left = (this.#waiting.get(remoteAddress) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(remoteAddress);
      else this.#waiting.set(remoteAddress, left);
      begin();
    };
  }
}
