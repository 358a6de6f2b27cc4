/** When the next step is due. `random` is in [0, 1). */

import type { Distribution, Moments } from './limits/durations.js';

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

/** Of the calls a key may make, how many are planned with: the rest evens out that they come in clusters. */
const PLANNED_SHARE = 0.8;
/** While polling everything each `maxMs` takes less than this share of the calls, there are calls to spare. */
const IDLE_SHARE = 0.5;
/** A submit, and half a poll: the last one comes after the end, and its pause began before. */
const CALLS_BESIDES = 1.5;
/** A task this likely to be finished is not polled before, where a poll waits for it to finish. */
const EARLY = 0.02;
/** Past its time a task is polled at least when it is older by this share. */
const OVERDUE_GROWTH = 0.25;
const JITTER = 0.1;

/** What a poll costs, in ms of delay that it has to save to be worth it; and whether there are calls to spare. */
export interface Load {
  readonly priceMs: number;
  readonly idle: boolean;
}

/**
 * The price at which the polls of so many unfinished tasks take the calls that are there. With x = sqrt(2 price) a task
 * is polled root / x times and seen finished root x / 2 too late (see {@link nextPollMs}). So tasks end at the rate
 * unfinished / (mean + root x / 2), and that many times root / x + 1.5 calls are what may be made: a quadratic
 * equation, which has a solution for any number of tasks.
 */
export function priceOf({
  unfinished,
  distribution: { meanMs, rootMs },
  callsPerMinute,
  maxMs,
}: {
  readonly unfinished: number;
  readonly distribution: Moments;
  readonly callsPerMinute: number;
  readonly maxMs: number;
}): Load {
  const callsPerMs = callsPerMinute / 60_000;
  const planned = callsPerMs * PLANNED_SHARE;
  const spare = planned * meanMs - CALLS_BESIDES * unfinished;
  const x = (Math.sqrt(spare ** 2 + 2 * planned * rootMs ** 2 * unfinished) - spare) / (planned * rootMs);
  return { priceMs: x ** 2 / 2, idle: unfinished <= callsPerMs * IDLE_SHARE * maxMs };
}

/** Where pushes arrive, a task is polled without one when it is so likely to be finished, or so long past the middle. */
const NET_SHARE = 0.98;
const NET_LATE_MS = 180_000;
/** And then when it is older by {@link OVERDUE_GROWTH}, within these pauses. */
const NET_PAUSE_MS = [60_000, 180_000] as const;

/**
 * Milliseconds to the next poll of a task that is `ageMs` old, where Modellix pushes when it is finished: a net for pushes
 * that are lost, so late that few tasks need it, and not so late that the loss is a matter of more than some minutes.
 * @param bounds `netMs`: the age by which it is polled once in any case
 */
export function netPollMs(
  distribution: Distribution,
  ageMs: number,
  { minMs, netMs }: { readonly minMs: number; readonly netMs: number },
  random: number,
): number {
  const likelyMs = distribution.quantile(NET_SHARE);
  const firstMs = Math.min(likelyMs, distribution.quantile(0.5) + NET_LATE_MS) * (1 + JITTER * random);
  const [least, most] = NET_PAUSE_MS;
  const growthMs = Math.min(most, Math.max(least, ageMs * OVERDUE_GROWTH)) * (1 + JITTER * random);
  const pauseMs = ageMs < firstMs ? firstMs - ageMs : growthMs;
  const leftMs = ageMs < netMs ? netMs - ageMs : pauseMs;
  return Math.round(Math.max(minMs, Math.min(pauseMs, leftMs)));
}

export interface PollBounds extends Load {
  readonly minMs: number;
  /** While there are calls to spare, no pause is longer. */
  readonly maxMs: number;
  /** How long Modellix holds a poll of an unfinished task; 0: it answers at once. */
  readonly longPollMs: number;
}

/**
 * Milliseconds to the next poll of a task that is `ageMs` old and was unfinished. Polls are as dense as
 * sqrt(hazard / (2 price)), which is best for their number (J. B. Keller, Optimum Checking Schedules for Systems
 * Subject to Random Failure, 1974): none while the task can hardly be finished, many when it is most likely to be.
 */
export function nextPollMs(
  distribution: Distribution,
  ageMs: number,
  { priceMs, idle, minMs, maxMs, longPollMs }: PollBounds,
  random: number,
): number {
  const x = Math.sqrt(2 * priceMs);
  const denseMs = distribution.ageAtRoots(ageMs, x) - ageMs;
  // Where there are fewer calls than tasks the density says next to never: then each has its turn.
  const lateMs = (distribution.rootMs * x) / 2;
  const turnMs = Math.max(distribution.meanMs - ageMs, 0) + lateMs;
  const longestMs = idle ? maxMs : Math.max(turnMs, ageMs * OVERDUE_GROWTH, maxMs);
  let pauseMs = denseMs * (1 - JITTER + 2 * JITTER * random);
  if (longPollMs > 0) {
    // A poll holds until the task is finished: the next one covers what follows, from when that may be.
    pauseMs = Math.max(distribution.quantile(EARLY) - ageMs, pauseMs - longPollMs);
  }
  return Math.round(Math.max(minMs, Math.min(pauseMs, longestMs)));
}
