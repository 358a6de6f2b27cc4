/** Slots and calls of the keys to Modellix. Calls go by GCRA; see `domain/limits/call-rate.ts`. Submits and polls share them: while both wait, every fifth is a poll's. */

import type { CallTerms, SubmitTerms } from '../store.js';
import type { Context } from './context.js';

/** Submits in a row after which a poll has its turn. */
const MAX_SUBMITS_IN_A_ROW = 4;

/** `tat`: theoretical arrival time, in ms. */
interface CallState {
  readonly tat: number;
  readonly submitsInARow: number;
}

/** How many calls there are now, and how long until the next one where there are too few. */
interface Room {
  readonly room: number;
  readonly waitMs: number;
}

/** With terms that are outdated. */
export const OUTDATED: Room = { room: 0, waitMs: 0 };

/** For one submit. @param pollWaits whether a poll of the key is due */
function submitRoom(state: CallState, terms: CallTerms, now: number, pollWaits: boolean): Room {
  const { room, waitMs } = roomOf(state, terms, terms.burst, now);
  if (!pollWaits || state.submitsInARow < MAX_SUBMITS_IN_A_ROW) return { room, waitMs };
  return { room: 0, waitMs: Math.max(waitMs, Math.ceil(terms.intervalMs)) };
}

/** For polls, which leave one call of a burst to submits. @param submitWaits whether a submit could be made */
export function pollRoom(state: CallState, terms: CallTerms, now: number, submitWaits: boolean): Room {
  const { room, waitMs } = roomOf(state, terms, Math.max(1, terms.burst - 1), now);
  if (!submitWaits) return { room, waitMs };
  const isTurn = state.submitsInARow >= MAX_SUBMITS_IN_A_ROW || state.tat <= now;
  return { room: isTurn ? Math.min(1, room) : 0, waitMs: Math.max(waitMs, Math.ceil(terms.intervalMs)) };
}

function tookSubmit(state: CallState, terms: CallTerms, now: number, pollWaits: boolean): CallState {
  return { tat: tatAfter(state, terms, now, 1), submitsInARow: pollWaits ? state.submitsInARow + 1 : 0 };
}

export function tookPolls(state: CallState, terms: CallTerms, now: number, count: number): CallState {
  return { tat: tatAfter(state, terms, now, count), submitsInARow: 0 };
}

function roomOf(state: CallState, terms: CallTerms, burst: number, now: number): Room {
  const used = usedMs(state, terms, now);
  const room = Math.max(0, Math.floor(burst - used / terms.intervalMs));
  return { room, waitMs: Math.max(0, Math.ceil(used + (room - burst + 1) * terms.intervalMs)) };
}

/** No more than a burst can have been used; what says so comes from a clock that was ahead. */
function usedMs({ tat }: CallState, { intervalMs, burst }: CallTerms, now: number): number {
  return Math.min(Math.max(0, tat - now), burst * intervalMs);
}

function tatAfter(state: CallState, terms: CallTerms, now: number, count: number): number {
  return now + usedMs(state, terms, now) + count * terms.intervalMs;
}

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
