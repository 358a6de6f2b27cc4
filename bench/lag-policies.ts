/** The policies that are compared: what the gateway does, and what a fixed pause does. */

import { distributionOf, mixOf, newDurations, observe } from '../src/domain/limits/durations.js';
import { afterEnd, NO_PUSHES } from '../src/domain/limits/pushes.js';
import { netPollMs, nextPollMs, priceOf } from '../src/domain/schedule.js';
import type { Policy } from './lag-world.js';

const MIN_MS = 1_000;
const MAX_MS = 15_000;
const NET_MS = 3_600_000;
const JITTER = 0.1;

/** Polls each task every so often, from its submit on. */
export function fixed(everyMs: number): Policy {
  return {
    pauseMs: (_kind, _ageMs, random) => everyMs * (1 - JITTER + 2 * JITTER * random),
    seen: () => undefined,
  };
}

/** One poll a second, of one task after the other: each has its turn after as many seconds as there are tasks. */
export function inTurn(tasks: number): Policy {
  return { pauseMs: () => tasks * 1_000, seen: () => undefined };
}

/**
 * What the gateway does, with what it learns on the way.
 * @param plan calls a minute that it believes to have, where that is not what the key may do
 */
export function learned(tasks: number, callsPerMinute: number, plan = callsPerMinute): Policy {
  let durations = newDurations();
  let arrivals = NO_PUSHES;
  const price = (calls: number) =>
    priceOf({ unfinished: tasks, distribution: mixOf(durations), callsPerMinute: calls, maxMs: MAX_MS });
  const loadNow = () => ({ ...price(plan), idle: price(callsPerMinute).idle });
  let load = loadNow();
  return {
    pauseMs(kind, ageMs, random) {
      const distribution = distributionOf(durations, kind);
      if (arrivals.arrive) return netPollMs(distribution, ageMs, { minMs: MIN_MS, netMs: NET_MS }, random);
      const bounds = { ...load, minMs: MIN_MS, maxMs: MAX_MS, longPollMs: 0 };
      return nextPollMs(distribution, ageMs, bounds, random);
    },
    seen(kind, span, byPush) {
      durations = observe(durations, kind, span);
      arrivals = afterEnd(arrivals, byPush);
      load = loadNow();
    },
  };
}
