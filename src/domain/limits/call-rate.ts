/**
 * Calls a minute, by the generic cell rate algorithm (GCRA, ITU-T I.371): one number, the theoretical arrival time,
 * says what was used. In any window of a minute at most 95 % of the limit leave: the vendor counts them as they
 * arrive, and some arrive later than they left.
 */

const MINUTE_MS = 60_000;
const USED = 0.95;
/** The share of the limit that may leave at once. */
const BURST = 0.1;
/** Parts of a millisecond that are exact in a number this long, so that sums of intervals come out even. */
const TICKS = 256;

/** What came of asking for calls. `waitMs`: until the next one, 0 where all were taken. */
export interface TakenCalls {
  readonly taken: number;
  readonly tatMs: number;
  readonly waitMs: number;
}

/** So many calls may leave at once, and each brings the next one an interval later. */
export interface Pace {
  readonly intervalMs: number;
  readonly burst: number;
}

/** A burst and the calls after it, at their interval, together stay under what may be used in a minute. */
export function paceOf(limitPerMinute: number): Pace {
  const usable = Math.max(1, Math.floor(limitPerMinute * USED));
  const burst = Math.max(1, Math.floor(limitPerMinute * BURST));
  // In the minute that begins with a burst there is room for usable - burst more, the first an interval after it.
  const intervalMs = MINUTE_MS / (usable - burst + 1);
  return { intervalMs: Math.ceil(intervalMs * TICKS) / TICKS, burst };
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
