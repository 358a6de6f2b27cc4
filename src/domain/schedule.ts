/** When the next step is due. `random` is in [0, 1). */

import type { Distribution } from './durations.js';

const BACKOFF_BASE_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;

/**
 * The pause after `failures` failures in a row (1 or more): exponential with equal jitter, from half a second to
 * a minute. Equal rather than full jitter, so that the pause never shrinks to nothing.
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (failures - 1));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

/** Of the calls a key may make, what looks aim to use: submits come on top, and in bursts. */
const LOOKS_SHARE = 0.8;
/** While looking every `maxMs` at everything takes less than this share of the calls, there are calls to spare. */
const IDLE_SHARE = 0.5;
/** A task this likely to be finished is not looked at before, where a look waits for it to finish. */
const EARLY = 0.02;
const JITTER = 0.1;

/** What a look costs, in ms of delay that it has to save to be worth it; and whether there are calls to spare. */
export interface Load {
  readonly priceMs: number;
  readonly idle: boolean;
}

/**
 * The price at which looks take up the calls that are there. Tasks end at the rate unfinished / mean; each is looked
 * at root / sqrt(2 price) times (see {@link nextLookMs}), and what they take together is what looks may use.
 */
export function priceOf({
  unfinished,
  distribution: { meanMs, rootMs },
  callsPerMinute,
  maxMs,
}: {
  readonly unfinished: number;
  readonly distribution: Distribution;
  readonly callsPerMinute: number;
  readonly maxMs: number;
}): Load {
  const callsPerMs = callsPerMinute / 60_000;
  const endsPerMs = unfinished / meanMs;
  const looksPerMs = Math.max(callsPerMs * LOOKS_SHARE - endsPerMs, callsPerMs * 0.1);
  return {
    priceMs: ((endsPerMs * rootMs) / looksPerMs) ** 2 / 2,
    idle: unfinished / maxMs <= callsPerMs * IDLE_SHARE,
  };
}

export interface LookBounds extends Load {
  readonly minMs: number;
  /** While there are calls to spare, no pause is longer. */
  readonly maxMs: number;
  /** How long Modellix holds a look at an unfinished task; 0: it answers at once. */
  readonly longPollMs: number;
}

/**
 * Milliseconds to the next look at a task that is `ageMs` old and was unfinished. Looks are as dense as
 * sqrt(hazard / (2 price)), which is best for their number (J. B. Keller, Optimum Checking Schedules for Systems
 * Subject to Random Failure, 1974): none while the task can hardly be finished, many when it is most likely to be.
 */
export function nextLookMs(
  distribution: Distribution,
  ageMs: number,
  { priceMs, idle, minMs, maxMs, longPollMs }: LookBounds,
  random: number,
): number {
  if (longPollMs > 0) {
    // It holds until the task is finished: one look follows the other from the moment that it may be.
    const earlyMs = distribution.quantile(EARLY) - ageMs;
    return Math.round(Math.max(0, Math.min(earlyMs, idle ? maxMs : Number.POSITIVE_INFINITY)));
  }
  const pauseMs = denseMs(distribution, ageMs, priceMs);
  const longestMs = idle ? maxMs : longest(distribution, ageMs, maxMs);
  const jitter = 1 - JITTER + 2 * JITTER * random;
  return Math.round(Math.max(minMs, Math.min(pauseMs * jitter, longestMs)));
}

/** What is past its time is looked at now and then, however unlikely it is to end. */
function longest(distribution: Distribution, ageMs: number, maxMs: number): number {
  return ageMs > distribution.quantile(0.5) ? Math.max(maxMs, ageMs / 4) : Number.POSITIVE_INFINITY;
}

/** Until the density of looks, summed up from now on, comes to one look. */
function denseMs(distribution: Distribution, ageMs: number, priceMs: number): number {
  const end = distribution.quantile(0.9999);
  let sum = 0;
  for (let at = ageMs; at < end; ) {
    const stepMs = Math.max(10, at / 50);
    const density = Math.sqrt(distribution.hazard(at + stepMs / 2) / (2 * Math.max(priceMs, 1e-6)));
    if (sum + density * stepMs >= 1) return at - ageMs + (1 - sum) / density;
    sum += density * stepMs;
    at += stepMs;
  }
  return Math.max(end - ageMs, ageMs / 4);
}
