/** What one holder has of a {@link FairPool}. */
export interface Lease {
  /** 0 once it was released. */
  readonly amount: number;
  readonly isReleased: boolean;
  /** Takes more, or gives some back. `false`, and nothing changes, where it is more than its holder may have, or was released. */
  resize(amount: number): boolean;
  /** Gives all back; twice is fine. */
  release(): void;
}

export interface FairPoolOptions {
  /** How much there is. */
  readonly max: number;
  /** What a holder may have of all that the others leave, above 0 and below 1. A half where not given. */
  readonly share?: number;
}

/**
 * Something scarce, shared by holders so that none can take all of it: each may have a share of what the others leave.
 * Whoever comes later finds something free, however many came before, and who is alone is not held to an equal part.
 * This is the "dynamic threshold" of Choudhury and Hahne ("Dynamic queue length thresholds for shared-memory packet
 * switches", 1998). What is held is never taken back.
 */
export class FairPool {
  readonly #max: number;
  readonly #share: number;
  readonly #byHolder = new Map<string, number>();
  #held = 0;

  constructor({ max, share = 1 / 2 }: FairPoolOptions) {
    this.#max = max;
    this.#share = share;
  }

  /** Of all holders together. */
  get held(): number {
    return this.#held;
  }

  heldBy(holder: string): number {
    return this.#byHolder.get(holder) ?? 0;
  }

  /** `null` where it is more than the holder may have now. */
  tryAcquire(holder: string, amount: number): Lease | null {
    if (!this.#fits(holder, amount)) return null;
    this.#add(holder, amount);
    let has = amount;
    let released = false;
    return {
      get amount() {
        return has;
      },
      get isReleased() {
        return released;
      },
      resize: (wanted) => {
        const more = wanted - has;
        if (released || (more > 0 && !this.#fits(holder, more))) return false;
        this.#add(holder, more);
        has = wanted;
        return true;
      },
      release: () => {
        this.#add(holder, -has);
        has = 0;
        released = true;
      },
    };
  }

  #fits(holder: string, more: number): boolean {
    const own = this.heldBy(holder);
    return own + more <= this.#share * (this.#max - (this.#held - own));
  }

  #add(holder: string, more: number): void {
    this.#held += more;
    const own = this.heldBy(holder) + more;
    if (own === 0) this.#byHolder.delete(holder);
    else this.#byHolder.set(holder, own);
  }
}
