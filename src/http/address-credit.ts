import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';

/** Where there are more, those that were not heard of for longest are forgotten. */
const MAX_ADDRESSES = 10_000;
/** What an address may have at most: so many can come from it at once and go first. */
const MAX_CREDIT = 32;

/** What addresses have by those who were served well from there: a crowd that comes from one of them uses it up, and is a crowd. */
export class AddressCredit {
  readonly #credit = new LRUCache<string, number>({ max: MAX_ADDRESSES });

  /** For one who was served well. */
  earn({ remoteAddress }: Socket): void {
    if (remoteAddress === undefined) return;
    this.#credit.set(remoteAddress, Math.min((this.#credit.get(remoteAddress) ?? 0) + 1, MAX_CREDIT));
  }

  /** For one who goes first. @returns whether it had some */
  spend({ remoteAddress }: Socket): boolean {
    if (remoteAddress === undefined) return false;
    const credit = this.#credit.get(remoteAddress) ?? 0;
    if (credit > 0) this.#credit.set(remoteAddress, credit - 1);
    return credit > 0;
  }
}
