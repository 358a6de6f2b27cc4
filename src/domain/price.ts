/** What an avatar is expected to cost: an estimate for the caller, never a bill. */

import type { Mode } from './avatar.js';

/** Modellix's price list for kling-avatar, September 2026, in hundredths of a cent for a second of video. */
const UNITS_A_SECOND: Readonly<Record<Mode, number>> = { std: 448, pro: 896 };

/** A hundredth of a cent: the four decimals that the estimate has. */
const UNITS_A_DOLLAR = 10_000;

/**
 * US dollars for a video as long as its audio, to four decimals, halves up. `null` where nobody knows how
 * long the audio is (a URL, an `audio_id`).
 *
 * The product is first cut to a millionth of a unit: a binary fraction such as 3150.4999999999995 is a half
 * that floating point missed.
 */
export function estimateUsd(mode: Mode, durationSeconds: number | null): number | null {
  if (durationSeconds === null) return null;
  if (!Number.isFinite(durationSeconds) || durationSeconds < 0) {
    throw new RangeError(`a duration of ${durationSeconds} seconds has no price`);
  }
  const units = Number((UNITS_A_SECOND[mode] * durationSeconds).toFixed(6));
  return Math.round(units) / UNITS_A_DOLLAR;
}
