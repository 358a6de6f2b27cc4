/** How late a call may come, in ms. */
const TICK_MS = 250;

/**
 * Calls back when a time is over: never early, at most a quarter of a second late. One timer for all who wait, which
 * runs only while somebody does. Node's own timers share one only where their durations are equal, which what is left of a
 * request's time never is, and each is an object of some 200 bytes; here it is an entry in a set.
 */
export class Wheel {
  readonly #slots = new Map<number, Set<() => void>>();
  #timer: NodeJS.Timeout | undefined;

  /** Returns how to forget it; also after the call. A function stands in a slot once: each call needs its own. */
  after(ms: number, due: () => void): () => void {
    const at = Math.ceil((performance.now() + ms) / TICK_MS);
    const slot = this.#slots.get(at) ?? new Set();
    this.#slots.set(at, slot.add(due));
    this.#timer ??= setInterval(() => this.#turn(), TICK_MS);
    return () => {
      if (slot.delete(due) && slot.size === 0) this.#drop(at);
    };
  }

  #turn(): void {
    const now = Math.floor(performance.now() / TICK_MS);
    for (const [at, slot] of this.#slots) {
      if (at > now) continue;
      this.#drop(at);
      for (const due of slot) due();
    }
  }

  #drop(at: number): void {
    this.#slots.delete(at);
    if (this.#slots.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
