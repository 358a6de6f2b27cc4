import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Caller, CallerDirectory, Identified } from '../domain/caller.js';
import { hashOf } from './key.js';
import type { ListedCaller } from './listed.js';

interface Entry {
  readonly listed: ListedCaller;
  readonly hash: Buffer;
  /** Of this key alone. */
  readonly caller: Caller;
  /** Stays the same in later directories for as long as the key shows the same avatars. */
  readonly grant: symbol;
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
  readonly #byGrant = new Map<symbol, Entry>();
  /** What callers were given, in earlier directories too. */
  readonly #grants: WeakMap<Caller, symbol>;
  readonly #now: () => number;

  /**
   * @param now in ms since the epoch
   * @param previous what it takes the place of
   */
  constructor(callers: readonly ListedCaller[], now: () => number, previous?: Directory) {
    this.#now = now;
    this.#grants = previous === undefined ? new WeakMap() : previous.#grants;
    for (const listed of callers) {
      this.#byName.set(listed.caller.name, listed.caller);
      for (const hash of listed.keyHashes) {
        const caller = Object.freeze({ ...listed.caller });
        const grant = Directory.#grantIn(previous, hash, caller);
        const entry = { listed, hash, caller, grant };
        this.#byKey.set(this.#hidden(hash), entry);
        this.#byGrant.set(grant, entry);
        this.#grants.set(caller, grant);
      }
    }
  }

  identify(key: string): Identified {
    const hash = hashOf(key);
    const entry = this.#byKey.get(this.#hidden(hash));
    const isSame = timingSafeEqual(hash, entry?.hash ?? this.#nobody);
    if (entry === undefined || !isSame) return UNKNOWN;
    const { caller } = entry;
    return this.#isExpired(entry) ? { kind: 'expired', name: caller.name } : { kind: 'known', caller };
  }

  isCurrent(caller: Caller): boolean {
    const grant = this.#grants.get(caller);
    const entry = grant && this.#byGrant.get(grant);
    return entry !== undefined && !this.#isExpired(entry);
  }

  find(name: string): Caller | null {
    return this.#byName.get(name) ?? null;
  }

  /** Another one than before, but for a key that was the same caller's, who saw the same avatars. */
  static #grantIn(previous: Directory | undefined, hash: Buffer, { name, admin }: Caller): symbol {
    const entry = previous === undefined ? undefined : previous.#byKey.get(previous.#hidden(hash));
    return entry?.caller.name === name && entry.caller.admin === admin ? entry.grant : Symbol(name);
  }

  #isExpired({ listed: { expiresAt } }: Entry): boolean {
    return expiresAt !== null && expiresAt <= this.#now();
  }

  #hidden(hash: Buffer): string {
    return createHmac('sha256', this.#pepper).update(hash).digest('base64');
  }
}
