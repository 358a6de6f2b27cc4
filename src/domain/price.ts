/** What an avatar is expected to cost: for its caller and against its caps, never a bill. */

import type { Cost, Mode } from './avatar.js';
import { MAX_AUDIO_SECONDS } from './media/audio/audio.js';
import { UNITS_A_DOLLAR } from './spend.js';

/** What a second of video costs, in US dollars. */
export type Prices = Readonly<Record<Mode, number>>;

/** US dollars for a video as long as its audio, to four decimals, halves up. `null` where nobody knows how long the audio is
 * (a URL, an `audio_id`). */
export function estimateUsd(prices: Prices, mode: Mode, durationSeconds: number | null): number | null {
  return durationSeconds === null ? null : unitsOf(prices, mode, durationSeconds) / UNITS_A_DOLLAR;
}

/** The same as it is counted. Where nobody knows how long the audio is, it counts as the longest that is taken. */
export function costOf(prices: Prices, mode: Mode, durationSeconds: number | null): Cost {
  const seconds = durationSeconds ?? MAX_AUDIO_SECONDS;
  return { durationMs: Math.round(seconds * 1000), units: unitsOf(prices, mode, seconds) };
}

/**
 * Products are first cut to a millionth of a unit: a binary fraction such as 3150.4999999999995 is a half that floating
 * point missed.
 */
function unitsOf(prices: Prices, mode: Mode, durationSeconds: number): number {
  if (!Number.isFinite(durationSeconds) || durationSeconds < 0) {
    throw new RangeError(`a duration of ${durationSeconds} seconds has no price`);
  }
  const unitsASecond = toMillionths(prices[mode] * UNITS_A_DOLLAR);
  return Math.round(toMillionths(unitsASecond * durationSeconds));
}

function toMillionths(value: number): number {
  return Number(value.toFixed(6));
}
