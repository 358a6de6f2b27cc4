import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Caller, CallerDirectory, Identified } from '../domain/caller.js';
import { hashOf } from './key.js';
import type { ListedCaller } from './listed.js';

interface Entry {
  readonly listed: ListedCaller;
  readonly hash: Buffer;
}

const UNKNOWN: Identified = Object.freeze({ kind: 'unknown' });

/**
 * The callers of a file, found by key without a time that tells how near one is. A Map compares what it is asked for with what it
 * holds, and takes longer the more of it agrees; so both are hidden under an HMAC with a key that this object alone has: who
 * chooses a key, and even its SHA-256, does not choose what is compared. Then the hashes themselves are compared in constant time.
 */
export class Directory implements CallerDirectory {
  readonly #pepper = randomBytes(32);
  /** Compared where nothing is found, so that it takes as long. */
  readonly #nobody = randomBytes(32);
  readonly #byKey = new Map<string, Entry>();
  readonly #byName = new Map<string, Caller>();
  readonly #now: () => number;

  /** @param now in ms since the epoch */
  constructor(callers: readonly ListedCaller[], now: () => number) {
    this.#now = now;
    for (const listed of callers) {
      this.#byName.set(listed.caller.name, listed.caller);
      for (const hash of listed.keyHashes) this.#byKey.set(this.#hidden(hash), { listed, hash });
    }
  }

  identify(key: string): Identified {
    const hash = hashOf(key);
    const entry = this.#byKey.get(this.#hidden(hash));
    const isSame = timingSafeEqual(hash, entry?.hash ?? this.#nobody);
    if (entry === undefined || !isSame) return UNKNOWN;
    const { caller, expiresAt } = entry.listed;
    if (expiresAt !== null && expiresAt <= this.#now()) return { kind: 'expired', name: caller.name };
    return { kind: 'known', caller };
  }

  find(name: string): Caller | null {
    return this.#byName.get(name) ?? null;
  }

  #hidden(hash: Buffer): string {
    return createHmac('sha256', this.#pepper).update(hash).digest('base64');
  }
}
