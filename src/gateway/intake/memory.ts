import { ProblemError } from '../../problems.js';
import { FairPool, type Lease } from './fair-pool.js';

/** Bodies up to this size have memory of their own, which large ones cannot take. */
const SMALL_BYTES = 256 * 1024;
/** How much of all there is that is. */
const SMALL_PART = 1 / 16;
/** What one holder may have of what the others leave: alone, eight bodies of 20 MB at once by default. */
const SHARE = 3 / 4;
/** When to try again: a body is read and sent within seconds. */
const RETRY_AFTER_SECONDS = 2;

/** The memory of one body, until everyone who retains it has released it. */
export interface MemoryLease {
  readonly holder: string;
  /** Takes more, or gives some back. `false`, and nothing changes, where it is more than its holder may have. */
  resize(bytes: number): boolean;
  /** Returns how to release it; twice is fine. @throws {ProblemError} `overloaded` where everyone had released it */
  retain(): () => void;
}

/**
 * What media may take of the memory of this process, so that a burst of large requests is turned away rather than the
 * process killed. It is shared by holders, so that none keeps the others from being served, and taken as bytes arrive: what
 * a caller merely says it will send takes nothing.
 */
export class Memory {
  readonly #small: FairPool;
  readonly #large: FairPool;

  constructor(maxBytes: number) {
    this.#small = new FairPool({ max: maxBytes * SMALL_PART, share: SHARE });
    this.#large = new FairPool({ max: maxBytes * (1 - SMALL_PART), share: SHARE });
  }

  get heldBytes(): number {
    return this.#small.held + this.#large.held;
  }

  /**
   * Whoever calls it has to retain it. `null` where it is more than the holder may have.
   * @param expectedBytes what it may come to, where that is known; if that is too much already, it is not begun
   */
  tryAcquire(holder: string, bytes: number, expectedBytes = bytes): MemoryLease | null {
    if (expectedBytes > SMALL_BYTES) {
      const whole = this.#large.tryAcquire(holder, expectedBytes);
      return whole?.resize(bytes) ? this.#lease(holder, whole, false) : null;
    }
    const small = this.#small.tryAcquire(holder, bytes);
    if (small !== null) return this.#lease(holder, small, true);
    const large = this.#large.tryAcquire(holder, bytes);
    return large && this.#lease(holder, large, false);
  }

  #lease(holder: string, first: Lease, isSmall: boolean): MemoryLease {
    let lease = first;
    const retainers = new Set<symbol>();
    return {
      holder,
      resize: (bytes) => {
        if (!isSmall || bytes <= SMALL_BYTES) return lease.resize(bytes);
        const large = lease.isReleased ? null : this.#large.tryAcquire(holder, bytes);
        if (large === null) return false;
        lease.release();
        lease = large;
        isSmall = false;
        return true;
      },
      retain: () => {
        if (lease.isReleased) throw overloaded();
        const retainer = Symbol();
        retainers.add(retainer);
        return () => {
          if (retainers.delete(retainer) && retainers.size === 0) lease.release();
        };
      },
    };
  }
}

export function overloaded(): ProblemError {
  return new ProblemError('overloaded', 'As much media is under way as this process may hold.', {
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}
