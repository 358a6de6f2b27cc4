/**
 * How long tasks take, learned from those that were seen finished: by mode and length of the speech, each class leaning
 * on its mode, and each mode on what the vendor's tasks take as far as was known, while little was seen.
 */

import type { Mode } from '../avatar.js';
import { add, BUCKETS, bucketOf, EMPTY, type Histogram, lowerMs, upperMs } from './histogram.js';

export interface TaskKind {
  readonly mode: Mode;
  /** `null` where the length is not known. */
  readonly audioSeconds: number | null;
}

/** Histograms by mode, and by mode and class of length; and of the last tasks, how many were of which class. */
export interface Durations {
  readonly histograms: Readonly<Record<string, Histogram>>;
  readonly recent: Histogram;
}

export interface Moments {
  readonly meanMs: number;
  /** The integral of sqrt(density x survival): what polling costs, whatever the calls; see `schedule.ts`. */
  readonly rootMs: number;
}

/** When a task of a kind is finished, counted from its submit. */
export interface Distribution extends Moments {
  cdf(ms: number): number;
  quantile(share: number): number;
  /** When the square root of the hazard, summed up from `ageMs` on, comes to `sum`: an age, or Infinity. */
  ageAtRoots(ageMs: number, sum: number): number;
}

/** What is assumed before anything was seen. */
const PRIOR = { std: logNormal(90_000, 0.5), pro: logNormal(240_000, 0.5) } as const;
/** How many observations the assumption is worth, and how many those of the mode are to a class. */
const PRIOR_WEIGHT = 8;
const MODE_WEIGHT = 20;
const CLASSES_SECONDS = [5, 10, 20, 60] as const;
/** Survival is not taken for less: a task of unheard-of age may yet finish. */
const LEAST_SURVIVAL = 1e-6;

export function newDurations(): Durations {
  return { histograms: {}, recent: EMPTY };
}

/** A task of a kind was finished somewhere between two ages. */
export function observe(
  durations: Durations,
  kind: TaskKind,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Durations {
  const shares = sharesOf(masses(durations, kind), Math.max(0, fromMs), Math.max(1, toMs));
  const histograms: Record<string, Histogram> = { ...durations.histograms };
  const name = classOf(kind);
  for (const each of [kind.mode, name]) histograms[each] = add(histograms[each] ?? EMPTY, shares);
  return { histograms, recent: add(durations.recent, new Map([[name, 1]])) };
}

export function distributionOf(durations: Durations, kind: TaskKind): Distribution {
  return new Stepwise(masses(durations, kind));
}

/** What to expect of a task, whatever its kind, if kinds stay as frequent as they were. */
export function mixOf(durations: Durations): Moments {
  const { total, weights } = durations.recent;
  if (total === 0) return distributionOf(durations, { mode: 'std', audioSeconds: null });
  let [meanMs, rootMs] = [0, 0];
  for (const [name, weight] of Object.entries(weights)) {
    const of = new Stepwise(massesOf(durations, name.startsWith('pro') ? 'pro' : 'std', name));
    meanMs += (weight / total) * of.meanMs;
    rootMs += (weight / total) * of.rootMs;
  }
  return { meanMs, rootMs };
}

function classOf({ mode, audioSeconds }: TaskKind): string {
  if (audioSeconds === null) return `${mode} ?`;
  return `${mode} ${CLASSES_SECONDS.find((limit) => audioSeconds < limit) ?? 'long'}`;
}

function masses(durations: Durations, kind: TaskKind): number[] {
  return massesOf(durations, kind.mode, classOf(kind));
}

/** The chance of each bucket. */
function massesOf({ histograms }: Durations, mode: Mode, name: string): number[] {
  const ofMode = blend(PRIOR[mode], PRIOR_WEIGHT, histograms[mode] ?? EMPTY);
  return blend(ofMode, MODE_WEIGHT, histograms[name] ?? EMPTY);
}

function blend(base: readonly number[], weight: number, { total, weights }: Histogram): number[] {
  return base.map((share, i) => (share * weight + (weights[i] ?? 0)) / (weight + total));
}

function logNormal(medianMs: number, sigma: number): readonly number[] {
  const at = (ms: number) => (ms <= 0 ? 0 : normal(Math.log(ms / medianMs) / sigma));
  const shares = Array.from({ length: BUCKETS }, (_, i) => at(upperMs(i)) - at(lowerMs(i)));
  const sum = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => share / sum);
}

/** The normal distribution function, near enough (Bowling et al. 2009: within 0.00014). */
function normal(z: number): number {
  return 1 / (1 + Math.exp(-(0.07056 * z ** 3 + 1.5976 * z)));
}

/**
 * One observation that is known to lie between two ages only, spread as what was believed before would have it
 * (a step of the EM algorithm for interval-censored data, Turnbull 1976).
 */
function sharesOf(before: readonly number[], fromMs: number, toMs: number): Map<string, number> {
  const raw = new Map<string, number>();
  let sum = 0;
  for (let i = bucketOf(fromMs); i <= bucketOf(toMs); i++) {
    const [low, high] = [lowerMs(i), upperMs(i)];
    const overlap = (Math.min(high, toMs) - Math.max(low, fromMs)) / (high - low);
    const weight = Math.max(overlap, 1e-9) * ((before[i] ?? 0) + 1e-6);
    raw.set(String(i), weight);
    sum += weight;
  }
  return new Map([...raw].map(([i, weight]) => [i, weight / sum]));
}

/** Within a bucket, every moment is as likely as the other. */
class Stepwise implements Distribution {
  readonly #mass: readonly number[];
  /** Up to the end of each bucket. */
  readonly #cumulative: readonly number[];
  readonly meanMs: number;
  readonly rootMs: number;

  constructor(mass: readonly number[]) {
    let sum = 0;
    this.#mass = mass;
    this.#cumulative = mass.map((share) => {
      sum += share;
      return sum;
    });
    let [mean, root] = [0, 0];
    for (const [i, share] of mass.entries()) {
      const [low, high] = [lowerMs(i), upperMs(i)];
      mean += (share * (low + high)) / 2;
      const survival = Math.max(0, 1 - this.#upTo(i) + share / 2);
      root += Math.sqrt((share / (high - low)) * survival) * (high - low);
    }
    this.meanMs = mean;
    this.rootMs = root;
  }

  cdf(ms: number): number {
    const i = bucketOf(ms);
    const [low, high] = [lowerMs(i), upperMs(i)];
    const share = (this.#mass[i] ?? 0) * Math.min(1, Math.max(0, (ms - low) / (high - low)));
    return Math.min(1, this.#upTo(i) - (this.#mass[i] ?? 0) + share);
  }

  quantile(share: number): number {
    const i = this.#cumulative.findIndex((sum) => sum >= share);
    if (i < 0) return upperMs(BUCKETS - 1);
    const mass = this.#mass[i] ?? 0;
    const into = mass === 0 ? 0 : (share - (this.#upTo(i) - mass)) / mass;
    return lowerMs(i) + into * (upperMs(i) - lowerMs(i));
  }

  ageAtRoots(ageMs: number, sum: number): number {
    let left = sum;
    let from = ageMs;
    for (let i = bucketOf(ageMs); i < BUCKETS; i++) {
      const [low, high] = [lowerMs(i), upperMs(i)];
      const density = (this.#mass[i] ?? 0) / (high - low);
      if (density > 0 && from < high) {
        // With density f and survival S - f t the square root of the hazard sums up to 2 (sqrt S - sqrt(S - f t)) / sqrt f.
        const start = Math.sqrt(Math.max(LEAST_SURVIVAL, 1 - this.cdf(from)));
        const end = Math.sqrt(Math.max(LEAST_SURVIVAL, 1 - this.#upTo(i)));
        const inBucket = (2 * (start - end)) / Math.sqrt(density);
        if (inBucket >= left)
          return from + (start ** 2 - (start - (left * Math.sqrt(density)) / 2) ** 2) / density;
        left -= inBucket;
      }
      from = Math.max(from, high);
    }
    return Number.POSITIVE_INFINITY;
  }

  #upTo(i: number): number {
    return this.#cumulative[i] ?? 1;
  }
}
