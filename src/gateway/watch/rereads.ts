import { backoffMs } from '../../domain/schedule.js';

/** What is read from the store again where it may have changed. */
export interface Reread {
  /** Whether anybody is still interested. */
  readonly wanted: boolean;
  /** @throws whatever kept it from being read: it is tried again */
  read(): Promise<void>;
}

/** Reads under way at once. Of those that nothing is known to have changed for, fewer: there may be thousands of them. */
const AT_ONCE = { changed: 32, doubtful: 8 } as const;
/** The longest pause between two tries; once the store is back it is read at once. */
const MAX_PAUSE_MS = 5_000;

/**
 * Has things read: each by one read at a time, with another one behind it where it changed meanwhile, however often; a bounded
 * number at once; and with growing pauses while they cannot be read.
 */
export class Rereads {
  readonly #random: () => number;
  readonly #changed = new Set<Reread>();
  readonly #doubtful = new Set<Reread>();
  readonly #underWay = new Set<Reread>();
  /** Changed while it was read. */
  readonly #again = new Set<Reread>();
  readonly #failures = new Map<Reread, { readonly count: number; readonly timer: NodeJS.Timeout }>();

  /** @param random in [0, 1), for jitter */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param how `changed`: the store said so; `doubtful`: it may have */
  ask(what: Reread, how: 'changed' | 'doubtful'): void {
    clearTimeout(this.#failures.get(what)?.timer);
    if (this.#underWay.has(what)) this.#again.add(what);
    else if (how === 'changed') this.#changed.add(what);
    else if (!this.#changed.has(what)) this.#doubtful.add(what);
    this.#begin();
  }

  /** It could not be read: it is tried again in a while. */
  failed(what: Reread): void {
    const before = this.#failures.get(what);
    clearTimeout(before?.timer);
    const count = (before?.count ?? 0) + 1;
    const pauseMs = Math.min(MAX_PAUSE_MS, backoffMs(count, this.#random()));
    const timer = setTimeout(() => this.ask(what, 'doubtful'), pauseMs);
    this.#failures.set(what, { count, timer });
  }

  /** Nobody is interested any more. */
  forget(what: Reread): void {
    for (const set of [this.#changed, this.#doubtful, this.#again]) set.delete(what);
    clearTimeout(this.#failures.get(what)?.timer);
    this.#failures.delete(what);
  }

  #begin(): void {
    for (const [waiting, room] of [
      [this.#changed, AT_ONCE.changed],
      [this.#doubtful, AT_ONCE.doubtful],
    ] as const) {
      for (const what of waiting) {
        if (this.#underWay.size >= room) break;
        waiting.delete(what);
        this.#doubtful.delete(what);
        this.#underWay.add(what);
        what.read().then(
          () => this.#ended(what, true),
          () => this.#ended(what, false),
        );
      }
    }
  }

  #ended(what: Reread, read: boolean): void {
    this.#underWay.delete(what);
    if (read) this.#failures.delete(what);
    const again = this.#again.delete(what);
    if (!what.wanted) this.forget(what);
    else if (again) this.#changed.add(what);
    else if (!read) this.failed(what);
    this.#begin();
  }
}
