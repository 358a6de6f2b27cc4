/** What an avatar costs by the price that is set: for its caller, and against its caps. What Modellix bills may differ. */

import type { Avatar, Cost, Mode, Spend } from './avatar.js';
import { MAX_AUDIO_SECONDS } from './media/audio/audio.js';
import { UNITS_A_DOLLAR } from './spend.js';

/** Modellix bills to a hundredth of a cent. */
const STEP = UNITS_A_DOLLAR / 10_000;

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
 * What an avatar came to: as was reserved where it was known how long the speech is, else by the length of its video, else by its
 * bill, else as was reserved for the longest.
 * @param videoSeconds `null` where that is not known
 * @param billed in units; `null` where that was not said
 */
export function settledSpend(
  prices: Prices,
  { spend, audio, mode }: Pick<Avatar, 'spend' | 'audio' | 'mode'>,
  videoSeconds: number | null,
  billed: number | null,
): Spend | null {
  if (spend === null) return null;
  let settled = spend.reserved;
  if (audio.durationSeconds === null && videoSeconds !== null) settled = costOf(prices, mode, videoSeconds);
  else if (audio.durationSeconds === null && billed !== null) settled = costOfBill(prices, mode, billed);
  return { ...spend, settled, billed };
}

/** As long as so much buys. */
function costOfBill(prices: Prices, mode: Mode, billed: number): Cost {
  const seconds = prices[mode] === 0 ? MAX_AUDIO_SECONDS : billed / UNITS_A_DOLLAR / prices[mode];
  return { durationMs: Math.round(Math.min(seconds, MAX_AUDIO_SECONDS) * 1000), units: billed };
}

/**
 * Products are first cut to a millionth of a step: a binary fraction such as 3150.4999999999995 is a half that floating
 * point missed.
 */
function unitsOf(prices: Prices, mode: Mode, durationSeconds: number): number {
  if (!Number.isFinite(durationSeconds) || durationSeconds < 0) {
    throw new RangeError(`a duration of ${durationSeconds} seconds has no price`);
  }
  const stepsASecond = toMillionths((prices[mode] * UNITS_A_DOLLAR) / STEP);
  return Math.round(toMillionths(stepsASecond * durationSeconds)) * STEP;
}

function toMillionths(value: number): number {
  return Number(value.toFixed(6));
}
