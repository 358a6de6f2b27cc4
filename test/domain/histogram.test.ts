/** The histogram: a scale without gaps, and observations that fade. */

import fc from 'fast-check';
import t from 'tap';
import {
  add,
  BUCKETS,
  bucketOf,
  EMPTY,
  type Histogram,
  lowerMs,
  upperMs,
} from '../../src/domain/limits/histogram.js';

/** With so many more observations in one bucket. */
function more(histogram: Histogram, times: number, bucket: string): Histogram {
  return Array.from({ length: times }).reduce<Histogram>((h) => add(h, new Map([[bucket, 1]])), histogram);
}

function about(actual: number | undefined, expected: number, tolerance: number): boolean {
  return Math.abs((actual ?? Number.NaN) - expected) <= tolerance;
}

t.test(
  'the scale goes from nothing to two hours, each bucket wider than the one before by the same share',
  async (t) => {
    t.equal(lowerMs(0), 0);
    t.equal(upperMs(0), 100);
    t.ok(about(upperMs(BUCKETS - 1), 7_200_000, 0.001));
    for (let i = 1; i < BUCKETS; i++) {
      if (lowerMs(i) !== upperMs(i - 1)) t.fail(`a gap before bucket ${i}`);
      if (!about(upperMs(i) / lowerMs(i), 1.194, 0.001)) t.fail(`bucket ${i} is not like the others`);
    }
  },
);

t.test('a time is in the bucket that it lies in', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7_200_000 }), (ms) => {
      const i = bucketOf(ms);
      return lowerMs(i) < ms && ms <= upperMs(i) + 1e-6;
    }),
  );
});

t.test('ends belong to what they end; what is longer than the scale is in the last bucket', async (t) => {
  for (const i of [0, 1, 2, 31, 62, 63]) t.equal(bucketOf(upperMs(i)), i);
  t.equal(bucketOf(0), 0);
  t.equal(bucketOf(86_400_000), BUCKETS - 1);
});

t.test('one observation weighs 1, also where it is spread; nothing is changed in place', async (t) => {
  const one = add(
    EMPTY,
    new Map([
      ['3', 0.25],
      ['4', 0.75],
    ]),
  );
  t.strictSame(one, { total: 1, weights: { 3: 0.25, 4: 0.75 } });
  t.strictSame(EMPTY, { total: 0, weights: {} });
  add(one, new Map([['3', 1]]));
  t.equal(one.weights[3], 0.25);
});

t.test('an observation counts half after 200 more, and is forgotten in the end', async (t) => {
  const one = more(EMPTY, 1, '3');
  t.ok(about(more(one, 200, '4').weights[3], 0.5, 0.001));
  t.ok(about(more(one, 400, '4').weights[3], 0.25, 0.001));
  t.ok('3' in more(one, 1_500, '4').weights);
  t.strictSame(Object.keys(more(one, 1_560, '4').weights), ['4']);
});

t.test('the total is that of the weights, and stays under 289 however many there were', async (t) => {
  t.ok(about(more(EMPTY, 5_000, '3').total, 287, 2));
  fc.assert(
    fc.property(fc.array(fc.nat(BUCKETS - 1), { maxLength: 300 }), (buckets) => {
      const { total, weights } = buckets.reduce((h, bucket) => more(h, 1, String(bucket)), EMPTY);
      return about(
        Object.values(weights).reduce((sum, weight) => sum + weight, 0),
        total,
        0.001,
      );
    }),
  );
});

t.test('it is short when written down: it is, after each task that ends', async (t) => {
  const all = Array.from({ length: 640 }, (_, i) => String(i % BUCKETS));
  t.ok(JSON.stringify(all.reduce((h, bucket) => more(h, 1, bucket), EMPTY)).length < 1_000);
});
