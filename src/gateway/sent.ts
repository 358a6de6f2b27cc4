import type { Avatar } from '../domain/avatar.js';

/** Avatars that are remembered: at the largest team's thousand calls a minute, those of hours. */
const MOST = 200_000;

/**
 * Which submits this process made. A store that comes back older than it was, from a snapshot or from a copy that lagged,
 * hands out an attempt that was made already: the process knows better, and does not make it again.
 */
export class SentAttempts {
  readonly #attempts = new Map<string, number>();

  /** Notes the attempt that is about to be made. `false`: it, or a later one, was made before. */
  add({ id, attempt }: Pick<Avatar, 'id' | 'attempt'>): boolean {
    const last = this.#attempts.get(id);
    if (last !== undefined && attempt <= last) return false;
    this.#attempts.delete(id); // The order is that of sending.
    this.#attempts.set(id, attempt);
    if (this.#attempts.size > MOST) {
      const [oldest] = this.#attempts.keys();
      this.#attempts.delete(oldest as string);
    }
    return true;
  }
}
