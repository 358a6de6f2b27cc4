/** The model of what both stores do: the calls of one key, shared between submits and polls. Times are in ms. */

import type { Pace } from '../../src/domain/limits/call-rate.js';
import { giveBackCalls, takeCalls } from './gcra.js';

export type CallKind = 'submit' | 'poll';

export interface Calls {
  /** Theoretical arrival time; see `call-rate.ts`. */
  readonly tatMs: number;
  /** Submits since the last poll, while polls waited. */
  readonly submitsInARow: number;
}

/** Whether calls of the other kind could be made now. */
export interface Rivals {
  readonly submitsWait: boolean;
  readonly pollsWait: boolean;
}

/** Submits in a row after which a poll has its turn. */
const MOST_SUBMITS_IN_A_ROW = 4;
/** What polls leave of a burst, so that a poll that finds a slot free is followed by a submit at once. */
const LEFT_TO_SUBMITS = 1;

export const UNUSED: Calls = { tatMs: 0, submitsInARow: 0 };

/**
 * Takes up to `wanted` calls of a kind at `now`. A submit outranks a poll: while submits could be made, polls get every
 * fifth call, and then it is theirs before the next submit's.
 */
export function take(
  calls: Calls,
  kind: CallKind,
  wanted: number,
  now: number,
  pace: Pace,
  rivals: Rivals,
): { readonly calls: Calls; readonly taken: number; readonly waitMs: number } {
  const share = shareOf(calls, kind, wanted, now, rivals);
  const leave = kind === 'poll' ? LEFT_TO_SUBMITS : 0;
  const { taken, tatMs, waitMs } = takeCalls(calls.tatMs, pace, now, share, leave);
  const oneCallMs = Math.ceil(pace.intervalMs);
  if (taken === 0) return { calls, taken, waitMs: Math.max(waitMs, share === 0 ? oneCallMs : 0) };
  const submitsInARow = kind === 'poll' || !rivals.pollsWait ? 0 : calls.submitsInARow + taken;
  return { calls: { tatMs, submitsInARow }, taken, waitMs: taken < wanted ? Math.max(waitMs, oneCallMs) : 0 };
}

/** How many of the calls that are free this kind may have. */
function shareOf(
  { submitsInARow, tatMs }: Calls,
  kind: CallKind,
  wanted: number,
  now: number,
  { submitsWait, pollsWait }: Rivals,
): number {
  const pollsTurn = submitsInARow >= MOST_SUBMITS_IN_A_ROW;
  if (kind === 'submit') {
    if (!pollsWait) return wanted;
    return pollsTurn ? 0 : Math.min(wanted, MOST_SUBMITS_IN_A_ROW - submitsInARow);
  }
  if (!submitsWait) return wanted;
  // Calls that lie there unused until none is missing are not what keeps the submits waiting.
  return pollsTurn || tatMs <= now ? Math.min(wanted, 1) : 0;
}

export function giveBack(calls: Calls, pace: Pace, count: number): Calls {
  return { ...calls, tatMs: giveBackCalls(calls.tatMs, pace, count) };
}
