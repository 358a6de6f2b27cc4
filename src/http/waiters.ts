/** How many requests may be held open at once; each takes a connection and some memory. */
export class Waiters {
  #free: number;

  constructor(max: number) {
    this.#free = max;
  }

  /** Returns how to leave, twice is fine; `null` where there is no room. */
  enter(): (() => void) | null {
    if (this.#free <= 0) return null;
    this.#free -= 1;
    let inside = true;
    return () => {
      if (inside) this.#free += 1;
      inside = false;
    };
  }
}
