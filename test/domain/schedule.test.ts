/** When a task is looked at: what a poll costs, and where polls are worth it. */

import fc from 'fast-check';
import t from 'tap';
import {
  type Distribution,
  distributionOf,
  newDurations,
  observe,
} from '../../src/domain/limits/durations.js';
import { backoffMs, netPollMs, nextPollMs, type PollBounds, priceOf } from '../../src/domain/schedule.js';
import { hazard } from './hazard.js';

const KIND = { mode: 'std', audioSeconds: 7 } as const;
/** Half of the tasks in 90 s, most between 40 s and 200 s. */
const ASSUMED = distributionOf(newDurations(), KIND);
/** Every task in 40 s to 60 s. */
const LEARNED = distributionOf(
  Array.from({ length: 400 }, (_, i) => 40_000 + 50 * i).reduce(
    (durations, fromMs) => observe(durations, KIND, { fromMs, toMs: fromMs + 1_000 }),
    newDurations(),
  ),
  KIND,
);
const CALLS = 100;
const FREE: PollBounds = { priceMs: 19, idle: false, minMs: 1, maxMs: 15_000, longPollMs: 0 };
const RANDOM = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function priced(unfinished: number, distribution: Distribution, callsPerMinute = CALLS) {
  return priceOf({ unfinished, distribution, callsPerMinute, maxMs: 15_000 });
}

/** The ages at which a task that does not finish is looked at, until hardly any would be left. */
function polls(of: Distribution, bounds: PollBounds): number[] {
  const ages: number[] = [];
  for (let age = 0; of.cdf(age) < 0.9999; ages.push(age)) age += nextPollMs(of, age, bounds, 0.5);
  return ages;
}

t.test('a pause after failures: from half a second to a minute, twice as long each time', async (t) => {
  const pauses = (random: number) => [1, 2, 3, 6, 7, 8, 1_000, 5_000].map((n) => backoffMs(n, random));
  t.strictSame(pauses(0), [500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  t.strictSame(pauses(1), [1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
  t.equal(backoffMs(1, 0.5), 750);
});

t.test('the price is that at which tasks and polls take the calls that are planned with', async () => {
  const scene = fc.record({
    unfinished: fc.integer({ min: 1, max: 10_000 }),
    calls: fc.integer({ min: 1, max: 100_000 }),
    of: fc.constantFrom(ASSUMED, LEARNED),
  });
  fc.assert(
    fc.property(scene, ({ unfinished, calls, of }) => {
      const x = Math.sqrt(2 * priced(unfinished, of, calls).priceMs);
      const endsPerMs = unfinished / (of.meanMs + (of.rootMs * x) / 2);
      const callsPerMs = endsPerMs * (of.rootMs / x + 1.5);
      return Math.abs((callsPerMs * 60_000) / (calls * 0.8) - 1) < 1e-6;
    }),
  );
});

t.test('a poll costs more the more tasks there are, and the fewer calls', async (t) => {
  const prices = [0, 1, 3, 30, 1_000].map((n) => priced(n, ASSUMED).priceMs);
  t.strictSame(prices.map(Math.round), [0, 2, 19, 3_023, 29_246_844]);
  t.ok(priced(3, ASSUMED, 1_000).priceMs < 1);
  t.ok(priced(3, ASSUMED, 10).priceMs > 1_000);
});

t.test(
  'there are calls to spare while looking at all of them every 15 s takes half the calls at most',
  async (t) => {
    t.ok(priced(12, ASSUMED).idle);
    t.notOk(priced(13, ASSUMED).idle);
    t.ok(priced(120, ASSUMED, 1_000).idle);
  },
);

for (const [name, of] of Object.entries({ ASSUMED, LEARNED })) {
  t.test(`the polls that follow from it take as many calls as planned: ${name}`, async (t) => {
    for (const unfinished of [1, 3, 30]) {
      const ages = polls(of, { ...FREE, ...priced(unfinished, of), idle: false });
      const [pollsPerTask, seenMs] = ages.reduce(
        ([count, ms], age, i) => {
          const from = ages[i - 1] ?? 0;
          return [count + 1 - of.cdf(from), ms + age * (of.cdf(age) - of.cdf(from))];
        },
        [0, 0],
      );
      const callsPerMinute = (unfinished * (pollsPerTask + 1)) / (seenMs / 60_000);
      t.ok(
        callsPerMinute > 78 && callsPerMinute < 82,
        `${unfinished}: ${callsPerMinute.toFixed(1)} calls a minute`,
      );
    }
  });
}

t.test('no poll while the task can hardly be finished', async (t) => {
  for (const of of [ASSUMED, LEARNED]) {
    const first = polls(of, FREE)[0] ?? 0;
    t.ok(of.cdf(first) < 0.02, `it is not late: ${first} ms`);
    t.ok(first > 20_000, `nor early: ${first} ms`);
  }
});

t.test('polls are dense where tasks end, and sparse before and after', async (t) => {
  const pauses = [10_000, 30_000, 50_000, 90_000].map((age) => nextPollMs(LEARNED, age, FREE, 0.5));
  t.strictSame(pauses, [26_925, 7_225, 611, 1_488]);
  const x = Math.sqrt(2 * FREE.priceMs);
  t.ok(Math.abs(611 * Math.sqrt(hazard(LEARNED, 50_000)) - x) < 0.1 * x, 'as dense as the root of hazard');
});

t.test(
  'no pause is shorter than the least, nor longer than the most while there are calls to spare',
  async () => {
    const bounds = fc.record({
      priceMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      idle: fc.boolean(),
      minMs: fc.integer({ min: 0, max: 15_000 }),
      maxMs: fc.integer({ min: 15_000, max: 600_000 }),
      longPollMs: fc.nat(60_000),
    });
    const of = fc.constantFrom(ASSUMED, LEARNED);
    fc.assert(
      fc.property(of, fc.nat(20_000_000), bounds, RANDOM, (distribution, ageMs, of, random) => {
        const pauseMs = nextPollMs(distribution, ageMs, of, random);
        return Number.isInteger(pauseMs) && pauseMs >= of.minMs && (!of.idle || pauseMs <= of.maxMs);
      }),
    );
  },
);

t.test('a tenth more or less, so that tasks of the same age are not looked at together', async (t) => {
  const [least, middle, most] = [0, 0.5, 1].map((random) => nextPollMs(ASSUMED, 90_000, FREE, random));
  t.strictSame([least, middle, most], [1_340, 1_488, 1_637]);
});

t.test('past its time a task is looked at now and then: it may yet finish, or fail', async (t) => {
  const hour = 3_600_000;
  t.equal(nextPollMs(ASSUMED, hour, { ...FREE, idle: true }, 0.5), 15_000);
  t.equal(nextPollMs(ASSUMED, hour, FREE, 0.5), hour / 4);
});

t.test('with far more tasks than calls each has its turn', async (t) => {
  const load = { ...FREE, ...priced(1_000, ASSUMED) };
  const turnMs = nextPollMs(ASSUMED, 0, load, 0.5);
  // One poll and one submit a task, with 80 calls a minute: 500 tasks of 1000 would take 25 minutes or less.
  t.ok(turnMs > 15 * 60_000 && turnMs < 25 * 60_000, `${turnMs / 60_000} minutes`);
});

t.test('where Modellix holds a poll until the task is finished, one poll covers what follows', async (t) => {
  const held = { ...FREE, minMs: 1_000, longPollMs: 10_000 };
  const mayBeFinished = ASSUMED.quantile(0.02);
  t.equal(nextPollMs(ASSUMED, 0, held, 0.5), Math.round(mayBeFinished), 'from when it may be finished');
  t.equal(nextPollMs(ASSUMED, 90_000, held, 0.5), 1_000, 'and again at once');
  const dear = { ...held, priceMs: 2_000 };
  t.equal(
    nextPollMs(ASSUMED, 90_000, dear, 0.5),
    nextPollMs(ASSUMED, 90_000, { ...dear, longPollMs: 0 }, 0.5) - 10_000,
    'the pause begins when the poll is answered',
  );
});

const NET = { minMs: 1_000, netMs: 3_600_000 };

t.test('where pushes arrive, few tasks are old enough to be polled without one', async (t) => {
  for (const of of [ASSUMED, LEARNED]) {
    const firstMs = netPollMs(of, 0, NET, 0);
    t.ok(of.cdf(firstMs) > 0.97, `${firstMs} ms: ${of.cdf(firstMs)} are finished`);
    t.ok(firstMs < of.quantile(0.99));
  }
  const long = distributionOf(newDurations(), { mode: 'pro', audioSeconds: 7 });
  const lateMs = netPollMs(long, 0, NET, 0) - long.quantile(0.5);
  t.ok(lateMs < 181_000, 'a push that was lost costs three minutes');
});

t.test('... and what is past its time is polled every few minutes', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 300_000, max: 86_400_000 }), RANDOM, (ageMs, random) => {
      const pauseMs = netPollMs(ASSUMED, ageMs, NET, random);
      const isAtTheEnd = ageMs < NET.netMs && ageMs + 60_000 > NET.netMs;
      return (pauseMs >= 60_000 || isAtTheEnd) && pauseMs <= 200_000;
    }),
  );
  t.equal(netPollMs(ASSUMED, 0, { ...NET, netMs: 60_000 }, 0.9), 60_000, 'when it would be given up');
  t.equal(netPollMs(ASSUMED, 0, { ...NET, minMs: 600_000 }, 0.9), 600_000, 'POLL_MIN_SECONDS holds');
});
