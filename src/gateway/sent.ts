/** Avatars that are remembered: at the largest team's thousand calls a minute, those of hours. */
const MOST = 200_000;

/**
 * For which avatars this process made a submit that was, or may have been, paid for. A store that comes back older than it was,
 * from a snapshot or from a copy that lagged, hands them out again: the process knows better, and does not submit them again.
 */
export class SentSubmits {
  readonly #ids = new Set<string>();

  /** Notes a submit that is about to be made. `false`: there was one before. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > MOST) {
      // The order is that of sending.
      const [oldest] = this.#ids;
      this.#ids.delete(oldest as string);
    }
    return true;
  }

  /** No task was made by it: another may be tried. */
  forget(id: string): void {
    this.#ids.delete(id);
  }
}
