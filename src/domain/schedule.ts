/** When the next step is due. `random` is in [0, 1). */

const GROWTH = 1.3;
const JITTER = 0.2;
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;

/** The pause before the next look at a task that was looked at `polls` times: growing, at most `maxMs`, +-20 %. */
export function pollPauseMs(polls: number, minMs: number, maxMs: number, random: number): number {
  const pause = Math.min(maxMs, minMs * GROWTH ** polls);
  return Math.round(pause * (1 - JITTER + 2 * JITTER * random));
}

/**
 * The pause after `failures` failures in a row (1 or more): exponential with equal jitter, from half a second to
 * a minute. Equal rather than full jitter, so that the pause never shrinks to nothing.
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (failures - 1));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
