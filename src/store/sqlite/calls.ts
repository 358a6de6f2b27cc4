/** Calls of a key, by GCRA; see `domain/limits/call-rate.ts`. Submits and polls share them: while both wait, every fifth is a poll's. */

import type { CallTerms } from '../store.js';

/** Submits in a row after which a poll has its turn. */
const MAX_SUBMITS_IN_A_ROW = 4;

/** `tat`: theoretical arrival time, in ms. */
export interface CallState {
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
export function submitRoom(state: CallState, terms: CallTerms, now: number, pollWaits: boolean): Room {
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

export function tookSubmit(state: CallState, terms: CallTerms, now: number, pollWaits: boolean): CallState {
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
