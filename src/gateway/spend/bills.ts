/** What is said of bills to whoever runs the gateway. */

import type { Avatar, Mode } from '../../domain/avatar.js';
import { UNITS_A_DOLLAR } from '../../domain/spend.js';
import type { Bill } from '../../modellix/outcome.js';
import type { Log } from '../log.js';

/** By so much a bill may differ from the price: more is a price that has moved. */
const TOLERANCE = 0.05;
/** How often the same is said. */
const SAID_EVERY_MS = 3_600_000;

interface Listeners {
  readonly log: Pick<Log, 'warn'>;
  readonly counts: { priceMoved(mode: Mode): void };
}

export class Bills {
  readonly #now: () => number;
  /** When each thing was said last. */
  readonly #saidAt = new Map<string, number>();

  /** @param now in ms, from wherever */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Says that the bill of an avatar could not be read, or is not what the price comes to. */
  note({ log, counts }: Listeners, { status, mode, spend }: Avatar, { billed, unusableBill }: Bill): void {
    if (unusableBill !== undefined && this.#isTimeFor('unusable')) {
      log.warn({ word: unusableBill }, 'what Modellix says that it billed is no amount; the price counts');
    }
    const units = spend?.settled?.units;
    if (status !== 'succeeded' || billed === null || units === undefined) return;
    if (Math.abs(billed - units) <= units * TOLERANCE || !this.#isTimeFor(mode)) return;
    counts.priceMoved(mode);
    log.warn(
      { mode, billedUsd: billed / UNITS_A_DOLLAR, estimatedUsd: units / UNITS_A_DOLLAR },
      'Modellix bills another price than is set here',
    );
  }

  #isTimeFor(what: string): boolean {
    const now = this.#now();
    if (now - (this.#saidAt.get(what) ?? Number.NEGATIVE_INFINITY) < SAID_EVERY_MS) return false;
    this.#saidAt.set(what, now);
    return true;
  }
}
