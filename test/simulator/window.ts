/**
 * What happened within a time that slides along: at `now`, whatever is younger than its length. A moment it is exactly as
 * old as the window is long, it has left.
 */
export class SlidingWindow {
  #times: number[] = [];
  #peak = 0;

  /** How much is in the window now. */
  count(now: number, lengthMs: number): number {
    const left = this.#times.findIndex((at) => at > now - lengthMs);
    if (left !== 0) this.#times = left < 0 ? [] : this.#times.slice(left);
    return this.#times.length;
  }

  /** Puts one more in. Said to be in order of time. */
  add(now: number, lengthMs: number): void {
    this.count(now, lengthMs);
    this.#times.push(now);
    this.#peak = Math.max(this.#peak, this.#times.length);
  }

  /** When the oldest one in it leaves, which is when there is room for another; a whole window from now if it is empty. */
  roomAt(now: number, lengthMs: number): number {
    this.count(now, lengthMs);
    return (this.#times[0] ?? now) + lengthMs;
  }

  /** The most that was ever in it. */
  get peak(): number {
    return this.#peak;
  }
}
