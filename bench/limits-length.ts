/** The share of the slots in use by how long tasks take, in simulated time: the gateway's schedule and its budget. */

import { learned } from './lag-policies.js';
import { play } from './lag-world.js';

export interface Length {
  readonly sigma: number;
  readonly medianMs: number;
  /** Of the slots, once durations are known, and in the first ten minutes, in which they are learned. */
  readonly used: number;
  readonly usedAtFirst: number;
  readonly lagMs: number;
  readonly callsPerMinute: number;
}

const SLOTS = 3;
const CALLS = 100;
const SIGMAS = [0.2, 0.5];
const MEDIANS_MS = [5_000, 10_000, 20_000, 30_000, 45_000, 90_000, 240_000];
const HOURS = 20;
const BEGINNINGS = 30;

export function byLength(): Length[] {
  return SIGMAS.flatMap((sigma) => MEDIANS_MS.map((medianMs) => measure(sigma, medianMs)));
}

function measure(sigma: number, medianMs: number): Length {
  const scene = { tasks: SLOTS, sigma, callsPerMinute: CALLS, medianMs };
  const { used, lagMs, callsPerMinute } = play({ ...scene, hours: HOURS }, learned(SLOTS, CALLS));
  let usedAtFirst = 0;
  for (let seed = 1; seed <= BEGINNINGS; seed++) {
    const beginning = { ...scene, hours: 1 / 6, warmUp: 0 };
    usedAtFirst += play(beginning, learned(SLOTS, CALLS), seed).used / BEGINNINGS;
  }
  return { sigma, medianMs, used, usedAtFirst, lagMs, callsPerMinute };
}
