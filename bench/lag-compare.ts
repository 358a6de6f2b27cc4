/** One scene, all policies; and the gateway's beside the best fixed one, at as many calls and at as much lag. */

import { fixed, inTurn, learned } from './lag-policies.js';
import { drawKind, type Measured, medianMs, play, type Scene, seeded } from './lag-world.js';

export interface Comparison {
  readonly scene: Scene;
  readonly fixed: ReadonlyArray<{ readonly name: string; readonly measured: Measured }>;
  readonly best: { readonly name: string; readonly measured: Measured };
  readonly ours: Measured;
  /** Ours at the calls, and at the lag, of the best fixed one. `null` where there is no call to save or to add. */
  readonly sameCalls: Measured | null;
  readonly sameLag: Measured | null;
}

const INTERVALS_MS = [2_000, 5_000, 15_000];
/** How often the plan is corrected until calls or lag match. */
const CORRECTIONS = 3;
/** Below this many polls a task nothing can be shifted from one poll to another. */
const POLLS_TO_SHIFT = 1.2;

export function compare(scene: Scene): Comparison {
  const { tasks, callsPerMinute } = scene;
  const policies = [
    ...INTERVALS_MS.map((ms) => ({ name: `every ${ms / 1000} s`, policy: fixed(ms) })),
    { name: 'in turn, one a second', policy: inTurn(tasks) },
  ];
  const rows = policies.map(({ name, policy }) => ({ name, measured: play(scene, policy) }));
  const best = rows.reduce((a, b) => (b.measured.lagMs < a.measured.lagMs ? b : a));
  const ours = play(scene, learned(tasks, callsPerMinute));
  const { lagMs, pollsPerTask } = best.measured;
  const shifts = pollsPerTask > POLLS_TO_SHIFT;
  return {
    scene,
    fixed: rows,
    best,
    ours,
    sameCalls: shifts ? matched(scene, ours, (is) => pollsPerTask / is.pollsPerTask) : null,
    sameLag: shifts ? matched(scene, ours, (is) => is.lagMs / lagMs) : null,
  };
}

/** Ours with its plan corrected until `factor`, by which it would have to poll more often, is about 1. */
function matched(scene: Scene, start: Measured, factor: (is: Measured) => number): Measured {
  const { tasks, callsPerMinute } = scene;
  let [is, plan] = [start, callsPerMinute];
  for (let i = 0; i < CORRECTIONS; i++) {
    plan *= factor(is);
    is = play(scene, learned(tasks, callsPerMinute, plan));
  }
  return is;
}

/** Lag against polls a task where calls are not limited: fixed pauses, and ours at several plans. */
export function tradeOff(scene: Scene) {
  const free = { ...scene, callsPerMinute: 1_000_000 };
  const point = ({ pollsPerTask, lagMs }: Measured) => ({ polls: pollsPerTask, lagSeconds: lagMs / 1000 });
  return {
    fixed: [8, 10, 13, 18, 25, 40, 60].map((s) => point(play(free, fixed(s * 1000)))),
    ours: [45, 55, 70, 90, 120, 160, 220].map((plan) => point(play(free, learned(scene.tasks, plan)))),
  };
}

/**
 * What is left of lag x polls, at best, for whoever knows how durations are distributed given mode and length, and
 * nothing else: the square of the integral of sqrt(density x survival) over the mean. It holds for many polls a task.
 */
export function bound(sigma: number): number {
  const random = seeded(3);
  const medians = Array.from({ length: 10_000 }, () => medianMs(drawKind(random)));
  const mean = (of: (median: number) => number) =>
    medians.reduce((sum, ms) => sum + of(ms), 0) / medians.length;
  // For a median of 1, in steps of the logarithm: sqrt(f S) dt = sqrt(phi(z) / (sigma t) S) t sigma dz.
  const dz = 0.001;
  let [root, survival] = [0, 1];
  for (let z = -8; z < 8; z += dz) {
    const phi = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    root += Math.sqrt(phi * Math.max(0, survival) * sigma * Math.exp(sigma * z)) * dz;
    survival -= phi * dz;
  }
  return (root * mean(Math.sqrt)) ** 2 / (mean((ms) => ms) * Math.exp(sigma ** 2 / 2));
}
