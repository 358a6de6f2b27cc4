/** How long tasks take: what is learned, how it is passed on between kinds, and that its figures agree. */

import fc from 'fast-check';
import t from 'tap';
import {
  type Distribution,
  type Durations,
  distributionOf,
  mixOf,
  newDurations,
  observe,
  type TaskKind,
} from '../../src/domain/limits/durations.js';
import { hazard } from './hazard.js';

const SHORT: TaskKind = { mode: 'std', audioSeconds: 7 };
const LONG: TaskKind = { mode: 'std', audioSeconds: 30 };
const PRO: TaskKind = { mode: 'pro', audioSeconds: 7 };
const NEW = newDurations();

/** So many tasks of a kind were seen finished at an age, a second after the poll before. */
function seen(durations: Durations, kind: TaskKind, seconds: number, times = 1): Durations {
  const span = { fromMs: seconds * 1_000 - 1_000, toMs: seconds * 1_000 };
  return Array.from({ length: times }).reduce<Durations>((d) => observe(d, kind, span), durations);
}

function medianSeconds(durations: Durations, kind: TaskKind): number {
  return Math.round(distributionOf(durations, kind).quantile(0.5) / 1_000);
}

function between(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

t.test('before anything was seen, a std task takes a minute and a half, a pro task four', async (t) => {
  for (const audioSeconds of [null, 3, 300]) {
    t.equal(medianSeconds(NEW, { mode: 'std', audioSeconds }), 90);
    t.ok(between(medianSeconds(NEW, { mode: 'pro', audioSeconds }), 239, 242));
  }
});

t.test('what is seen soon counts more than what was assumed', async (t) => {
  const medians = [0, 1, 10, 100].map((times) => medianSeconds(seen(NEW, SHORT, 30, times), SHORT));
  t.strictSame(
    medians.toSorted((a, b) => b - a),
    medians,
  );
  t.ok(between(medians[1] ?? 0, 75, 89), `one moves it a little: ${medians}`);
  t.ok(between(medians[3] ?? 0, 28, 34), `a hundred settle it: ${medians}`);
});

t.test('what changed is learned anew, and what was before fades', async (t) => {
  const durations = seen(seen(NEW, SHORT, 30, 1_000), SHORT, 200, 400);
  t.ok(between(medianSeconds(durations, SHORT), 170, 205));
  t.ok(distributionOf(durations, SHORT).cdf(40_000) < 0.3);
});

t.test('a class leans on its mode while little of it was seen, and on no other mode', async (t) => {
  const durations = seen(NEW, SHORT, 30, 50);
  t.ok(between(medianSeconds(durations, LONG), 28, 45), 'long ones are expected to be like the short ones');
  t.equal(medianSeconds(durations, PRO), medianSeconds(NEW, PRO));

  const both = seen(durations, LONG, 300, 50);
  t.ok(between(medianSeconds(both, LONG), 200, 320), 'until they are seen to be otherwise');
  t.ok(between(medianSeconds(both, SHORT), 28, 40));
  t.ok(
    between(medianSeconds(both, { mode: 'std', audioSeconds: null }), 30, 320),
    'of unknown length: either',
  );
});

t.test('classes of length: under 5, 10, 20 and 60 seconds, longer, unknown', async (t) => {
  const lengths = [0, 4.9, 5, 9.9, 10, 19.9, 20, 59.9, 60, 3_600, null];
  const names = lengths.map((audioSeconds) => {
    const { recent } = seen(NEW, { mode: 'std', audioSeconds }, 30);
    return Object.keys(recent.weights).join();
  });
  t.strictSame(
    names.map((name) => name.replace('std ', '')),
    ['5', '5', '10', '10', '20', '20', '60', '60', 'long', 'long', '?'],
  );
});

t.test('a task that ended somewhere in an hour says what the others said', async (t) => {
  const known = seen(NEW, SHORT, 30, 100);
  const hour = { fromMs: 0, toMs: 3_600_000 };
  const vague = Array.from({ length: 50 }).reduce<Durations>((d) => observe(d, SHORT, hour), known);
  const ended = (durations: Durations) => distributionOf(durations, SHORT).cdf(60_000);
  t.ok(between(ended(vague), ended(known) - 0.02, ended(known) + 0.02), `${ended(known)} -> ${ended(vague)}`);
  const late = observe(NEW, SHORT, { fromMs: 100_000, toMs: 3_600_000 });
  t.ok(medianSeconds(late, SHORT) > 90, 'one that took more than 100 s says that they take longer');
});

t.test('clocks that disagree, and tasks that took no time or a day, spoil nothing', async (t) => {
  for (const span of [
    { fromMs: 50_000, toMs: 20_000 },
    { fromMs: -10_000, toMs: -5_000 },
    { fromMs: 0, toMs: 0 },
    { fromMs: 86_000_000, toMs: 86_400_000 },
  ]) {
    const median = medianSeconds(observe(NEW, SHORT, span), SHORT);
    t.ok(between(median, 70, 110), `${JSON.stringify(span)}: ${median} s`);
  }
});

t.test('all kinds together, as frequent as they were', async (t) => {
  const { meanMs, rootMs } = distributionOf(NEW, SHORT);
  t.match(mixOf(NEW), { meanMs, rootMs }, 'std where nothing is known');

  const durations = seen(seen(NEW, SHORT, 60, 10), PRO, 300, 30);
  const [short, pro] = [distributionOf(durations, SHORT), distributionOf(durations, PRO)];
  const share = (mix: number, a: number, b: number) => (mix - a) / (b - a);
  t.ok(between(share(mixOf(durations).meanMs, short.meanMs, pro.meanMs), 0.74, 0.77));
  t.ok(between(share(mixOf(durations).rootMs, short.rootMs, pro.rootMs), 0.74, 0.77));

  const later = seen(durations, SHORT, 60, 600);
  const mean = distributionOf(later, SHORT).meanMs;
  t.ok(between(mixOf(later).meanMs, mean, mean * 1.5), 'pro tasks are a thing of the past');
});

const KIND = fc.record({
  mode: fc.constantFrom('std' as const, 'pro' as const),
  audioSeconds: fc.option(fc.integer({ min: 1, max: 100 })),
});
const LEARNED = fc
  .array(fc.record({ kind: KIND, fromMs: fc.nat(600_000), forMs: fc.nat(60_000) }), { maxLength: 40 })
  .map((all) =>
    all.reduce((d, { kind, fromMs, forMs }) => observe(d, kind, { fromMs, toMs: fromMs + forMs }), NEW),
  );
const DISTRIBUTION = fc.tuple(LEARNED, KIND).map(([durations, kind]) => distributionOf(durations, kind));
const AGE = fc.integer({ min: 1_000, max: 600_000 });

/** The integral by the midpoint rule, in steps that grow like the buckets. */
function integral(f: (ms: number) => number, from: number, to: number, steps = 20_000): number {
  const factor = (to / from) ** (1 / steps);
  let [sum, low] = [0, from];
  for (let i = 0; i < steps; i++) {
    const high = low * factor;
    sum += f((low + high) / 2) * (high - low);
    low = high;
  }
  return sum;
}

function near(a: number, b: number, share: number): boolean {
  return Math.abs(a - b) <= share * Math.max(Math.abs(a), Math.abs(b));
}

function always(name: string, holds: (of: Distribution, a: number, b: number) => boolean): void {
  t.test(name, async () => fc.assert(fc.property(DISTRIBUTION, AGE, AGE, holds), { numRuns: 60 }));
}

always('cdf goes from 0 to 1 and never back', (of, a, b) => {
  const ends = of.cdf(0) === 0 && near(of.cdf(7_200_000), 1, 1e-5) && of.cdf(1e9) <= 1;
  return ends && of.cdf(Math.min(a, b)) <= of.cdf(Math.max(a, b));
});

always('quantile is its inverse', (of, a, b) => {
  const share = b / 600_001;
  const canBeSeen = hazard(of, a) > 1e-8 && of.cdf(a) < 1 - 1e-4;
  return (
    near(of.cdf(of.quantile(share)), share, 1e-6) && (!canBeSeen || near(of.quantile(of.cdf(a)), a, 1e-6))
  );
});

always('ageAtRoots is where the integral of the root of hazard is so much', (of, from, b) => {
  const sum = b / 1_000;
  const root = (ms: number) => Math.sqrt(hazard(of, ms));
  const to = of.ageAtRoots(from, sum);
  if (to > of.quantile(0.9999))
    return integral(root, from, Math.max(from, of.quantile(0.9999))) <= sum * 1.01;
  return near(integral(root, from, to), sum, 0.01);
});

always('the moments are those of the distribution', (of) => {
  const survival = (ms: number) => 1 - of.cdf(ms);
  const root = (ms: number) => Math.sqrt(hazard(of, ms)) * survival(ms);
  return (
    near(of.meanMs, integral(survival, 0.1, 7_200_000), 0.01) &&
    near(of.rootMs, integral(root, 0.1, 7_200_000), 0.03)
  );
});

t.test('a sum that is never reached is at no age', async (t) => {
  t.equal(distributionOf(NEW, SHORT).ageAtRoots(0, 1e6), Number.POSITIVE_INFINITY);
  t.equal(distributionOf(NEW, SHORT).ageAtRoots(1e9, 1), Number.POSITIVE_INFINITY);
  t.equal(distributionOf(NEW, SHORT).ageAtRoots(90_000, 0), 90_000);
});
