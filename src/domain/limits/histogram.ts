/** A histogram in which older observations fade, and the logarithmic scale of those of durations. */

/** Buckets without weight are left out. */
export interface Histogram {
  readonly total: number;
  readonly weights: Readonly<Record<string, number>>;
}

const FIRST_MS = 100;
const LAST_MS = 7_200_000;
export const BUCKETS = 64;
const STEP = Math.log(LAST_MS / FIRST_MS) / (BUCKETS - 1);
/** An observation counts half after this many more. */
const HALF_LIFE = 200;
const FADE = 2 ** (-1 / HALF_LIFE);
const NEGLIGIBLE = 0.005;

export const EMPTY: Histogram = { total: 0, weights: {} };

const ENDS = Array.from({ length: BUCKETS }, (_, index) => FIRST_MS * Math.exp(index * STEP));

/** Where bucket `index` ends, in ms. The first begins at 0; the last has no end but this one. */
export function upperMs(index: number): number {
  return ENDS[index] ?? LAST_MS;
}

export function lowerMs(index: number): number {
  return index === 0 ? 0 : upperMs(index - 1);
}

export function bucketOf(ms: number): number {
  if (ms <= FIRST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / STEP - 1e-9));
}

/** The histogram with one more observation, whose weight is spread over buckets by `shares`, which sum to 1. */
export function add(histogram: Histogram, shares: ReadonlyMap<string, number>): Histogram {
  const weights: Record<string, number> = {};
  let total = 0;
  const names = new Set([...Object.keys(histogram.weights), ...shares.keys()]);
  for (const name of names) {
    const share = shares.get(name) ?? 0;
    const weight = Number(((histogram.weights[name] ?? 0) * FADE + share).toPrecision(5));
    if (weight < NEGLIGIBLE) continue;
    weights[name] = weight;
    total += weight;
  }
  return { total: Number(total.toPrecision(6)), weights };
}
