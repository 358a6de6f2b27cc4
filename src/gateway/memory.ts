import { ProblemError } from '../problems.js';

/** Memory that is spoken for, until everyone who keeps it has let go. */
export interface Hold {
  /** Returns how to let go; twice is fine. Who keeps it after all others let go has it all the same. */
  keep(): () => void;
}

/** When to try again: a body is read and sent within seconds. */
const RETRY_AFTER_SECONDS = 2;

/**
 * What media may take of the memory of this process. It is spoken for before anything is read, so that a burst of large
 * requests is turned away rather than the process killed.
 */
export class Memory {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Who calls it keeps it first.
   * @throws {ProblemError} `overloaded` where it is spoken for
   */
  hold(bytes: number): Hold {
    const held = this.tryHold(bytes);
    if (held !== null) return held;
    throw new ProblemError('overloaded', 'As much media is under way as this process may hold.', {
      headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
    });
  }

  tryHold(bytes: number): Hold | null {
    if (this.#heldBytes + bytes > this.#maxBytes) return null;
    this.#heldBytes += bytes;
    const keepers = new Set<symbol>();
    let held = true;
    return {
      keep: () => {
        const keeper = Symbol();
        keepers.add(keeper);
        if (!held) this.#heldBytes += bytes;
        held = true;
        return () => {
          if (!keepers.delete(keeper) || keepers.size > 0) return;
          held = false;
          this.#heldBytes -= bytes;
        };
      },
    };
  }
}
