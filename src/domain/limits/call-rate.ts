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
