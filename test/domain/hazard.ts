import type { Distribution } from '../../src/domain/limits/durations.js';

/** The rate at which an unfinished task of this age finishes, per ms: how steep the distribution is there. */
export function hazard(of: Distribution, ms: number): number {
  const half = Math.min(0.05, ms / 2) + 1e-3;
  const density = (of.cdf(ms + half) - of.cdf(Math.max(0, ms - half))) / (2 * half);
  return density / Math.max(1e-6, 1 - of.cdf(ms));
}
