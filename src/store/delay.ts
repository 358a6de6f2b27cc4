/** A century: longer than any delay, and small enough that a due time stays an exact integer in every store. */
const LONGEST_MS = 100 * 366 * 86_400_000;

/** A delay as a store keeps it: whole milliseconds, rounded up, never in the past. */
export function wholeDelay(ms: number): number {
  if (Number.isNaN(ms)) throw new TypeError('a delay is a number of milliseconds');
  return Math.min(Math.max(Math.ceil(ms), 0), LONGEST_MS);
}
