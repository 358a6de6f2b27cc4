/** Slots and calls of the keys to Modellix. */

import type { CallTerms, SubmitTerms } from '../store.js';
import { type CallState, OUTDATED, submitRoom, tookSubmit } from './calls.js';
import type { Context } from './context.js';

/** Parts of a millisecond in which a `tat` is kept: as exact as a number of this size is. */
const TICKS = 4096;

export function readCalls({ tables }: Context, keyId: string): CallState {
  const found = tables.keys.get(keyId);
  return { tat: (found?.tat ?? 0) / TICKS, submitsInARow: found?.submits_in_a_row ?? 0 };
}

export function writeCalls({ tables }: Context, keyId: string, { tat, submitsInARow }: CallState): void {
  tables.keys.put({ id: keyId, tat: Math.round(tat * TICKS), submits_in_a_row: submitsInARow });
}

/** Forgets keys that were last used before a moment, and are as new. */
export function forgetCalls({ db }: Context, before: number): void {
  db.sql('delete from keys where tat < ?').run([before * TICKS]);
}

/** Whether the document that terms follow from was changed since. */
export function isOutdated({ tables }: Context, { asOf }: CallTerms): boolean {
  return asOf !== undefined && (tables.documents.get(asOf.document)?.revision ?? 0) !== asOf.revision;
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
  let waitMs: number | null = null;
  const free = keys
    .map((terms) => ({ terms, slots: terms.slots - counts.slots(terms.keyId, now) }))
    .filter(({ slots }) => slots > 0)
    .sort((a, b) => b.slots - a.slots);
  for (const { keyId, calls } of free.map(({ terms }) => terms)) {
    const state = readCalls(cx, keyId);
    const pollWaits = counts.isDue(keyId, now);
    const room = isOutdated(cx, calls) ? OUTDATED : submitRoom(state, calls, now, pollWaits);
    if (room.room > 0) {
      writeCalls(cx, keyId, tookSubmit(state, calls, now, pollWaits));
      return { keyId };
    }
    waitMs = Math.min(waitMs ?? room.waitMs, room.waitMs);
  }
  return { waitMs };
}
