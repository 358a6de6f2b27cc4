/** Slots and calls of the keys to Modellix. Submits and polls share the calls: while both wait, every fifth is a poll's. */

import type { CallTerms, SubmitTerms } from '../store.js';
import type { Context } from './context.js';

/** Submits in a row after which a poll has its turn. */
const MAX_SUBMITS_IN_A_ROW = 4;
/** Parts of a millisecond in which a `tat` is kept: as exact as a number of this size is. */
const TICKS = 4096;

/** Calls of a key by GCRA; see `domain/limits/call-rate.ts`. */
export class Calls {
  readonly inARow: number;
  /** How many there are now; none where the document that the terms follow from was changed since. */
  readonly room: number;
  /** How much of a burst is used, in ms. */
  readonly used: number;
  readonly #cx: Context;
  readonly #keyId: string;
  readonly #intervalMs: number;
  readonly #burst: number;
  readonly #isOutdated: boolean;

  /** @param reserved how many of a burst are left to others */
  constructor(cx: Context, keyId: string, { intervalMs, burst, asOf }: CallTerms, reserved: number) {
    const { keys, documents } = cx.tables;
    const { tat, submits_in_a_row } = keys.get(keyId) ?? { tat: 0, submits_in_a_row: 0 };
    this.#cx = cx;
    this.#keyId = keyId;
    this.#intervalMs = intervalMs;
    this.#burst = Math.max(1, burst - reserved);
    this.#isOutdated = asOf !== undefined && (documents.get(asOf.document)?.revision ?? 0) !== asOf.revision;
    this.inARow = submits_in_a_row;
    // No more than a burst can have been used; what says so comes from a clock that was ahead.
    this.used = Math.min(Math.max(0, tat / TICKS - cx.now), burst * intervalMs);
    this.room = this.#isOutdated ? 0 : Math.max(0, Math.floor(this.#burst - this.used / intervalMs));
  }

  /** Takes some. @param inARow how many submits were then made in a row while polls waited */
  take(count: number, inARow: number): void {
    const tat = Math.round((this.#cx.now + this.used + count * this.#intervalMs) * TICKS);
    this.#cx.tables.keys.put({ id: this.#keyId, tat, submits_in_a_row: inARow });
  }

  /** Until one may be had for more than so many; where only the other kind's turn is in the way, that of one call; 0 with outdated terms. */
  waitMs(taken: number): number {
    if (this.#isOutdated) return 0;
    if (taken < this.room) return Math.ceil(this.#intervalMs);
    return Math.max(0, Math.ceil(this.used + (taken - this.#burst + 1) * this.#intervalMs));
  }
}

/** How many calls polls may have, of which one in a burst is left to submits. @param submitWaits whether a submit could be made */
export function pollShare({ inARow, used }: Calls, submitWaits: boolean): number {
  if (!submitWaits) return Number.POSITIVE_INFINITY;
  return inARow >= MAX_SUBMITS_IN_A_ROW || used === 0 ? 1 : 0;
}

/**
 * Takes a call of the key with the most free slots, of those that have one. The slot is taken by the avatar that is written next.
 * `waitMs`: until there is a call; `null` without a slot.
 */
export function takeSubmit(
  cx: Context,
  keys: readonly SubmitTerms[],
): { readonly keyId: string } | { readonly waitMs: number | null } {
  const { now, counts } = cx;
  const free = keys
    .map((terms) => ({ terms, slots: terms.slots - counts.slots(terms.keyId, now) }))
    .filter(({ slots }) => slots > 0)
    .sort((a, b) => b.slots - a.slots);
  let waitMs: number | null = null;
  for (const { keyId, calls: terms } of free.map(({ terms }) => terms)) {
    const calls = new Calls(cx, keyId, terms, 0);
    const pollWaits = counts.isDue(keyId, now);
    if (calls.room > 0 && !(pollWaits && calls.inARow >= MAX_SUBMITS_IN_A_ROW)) {
      calls.take(1, pollWaits ? calls.inARow + 1 : 0);
      return { keyId };
    }
    waitMs = Math.min(waitMs ?? Number.POSITIVE_INFINITY, calls.waitMs(0));
  }
  return { waitMs };
}

/** Forgets keys that were last used before a moment, and are as new. */
export function forgetCalls({ db }: Context, before: number): void {
  db.sql('delete from keys where tat < ?').run([before * TICKS]);
}
