/** The model of how both stores take calls, at a pace of `call-rate.ts`. Times are in ms. */

import type { Pace } from '../../src/domain/limits/call-rate.js';

/** What came of asking for calls. `waitMs`: until the next one, 0 where all were taken. */
export interface TakenCalls {
  readonly taken: number;
  readonly tatMs: number;
  readonly waitMs: number;
}

/** Takes up to `wanted` calls at `now`, and leaves so many of a burst; one of it may be had in any case. */
export function takeCalls(
  tatMs: number,
  { intervalMs, burst: all }: Pace,
  now: number,
  wanted: number,
  leave = 0,
): TakenCalls {
  const burst = Math.max(1, all - leave);
  // No more than a burst can have been used; what says so comes from a clock that was ahead.
  const usedMs = Math.min(Math.max(0, tatMs - now), all * intervalMs);
  const room = Math.floor(burst - usedMs / intervalMs);
  const taken = Math.max(0, Math.min(wanted, room));
  const nextMs = usedMs + taken * intervalMs;
  const waitMs = taken >= wanted ? 0 : Math.ceil(nextMs - (burst - 1) * intervalMs);
  return { taken, tatMs: taken === 0 ? tatMs : now + nextMs, waitMs };
}

/** Undoes what {@link takeCalls} took just before, for calls that were not made. */
export function giveBackCalls(tatMs: number, { intervalMs }: Pace, calls: number): number {
  return tatMs - calls * intervalMs;
}
