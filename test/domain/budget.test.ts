/** The calls of one key: who gets them, and when nobody does. */

import fc from 'fast-check';
import t from 'tap';
import {
  afterReply,
  type CallKind,
  giveBack,
  type KeyBudget,
  newBudget,
  type Rivals,
  stateOf,
  take,
} from '../../src/domain/budget.js';

const NOW = 1_790_000_000_123;
const MINUTE_MS = 60_000;
/** A burst of 10, then a call every 0.7 s. */
const LIMITS = { callsPerMinute: 100, tasks: 3 };
const NOBODY: Rivals = { submitsWait: false, pollsWait: false };
const BOTH: Rivals = { submitsWait: true, pollsWait: true };
const FRESH = newBudget(LIMITS);

function taken(budget: KeyBudget, kind: CallKind, rivals: Rivals, wanted = 99, now = NOW) {
  return take(budget, kind, wanted, now, LIMITS, rivals);
}

/** The calls of so many seconds in which a submit and then a look is tried for whenever there may be one. */
function played(seconds: number, rivals: Rivals): string {
  let [budget, now, calls] = [FRESH, NOW, ''];
  while (now < NOW + seconds * 1_000) {
    const submits = taken(budget, 'submit', rivals, 99, now);
    const looks = taken(submits.budget, 'poll', rivals, 99, now);
    calls += 's'.repeat(submits.taken) + 'l'.repeat(looks.taken);
    budget = looks.budget;
    now += Math.min(submits.waitMs, looks.waitMs);
  }
  return calls;
}

t.test(
  'who is alone gets all that is there, but for one that looks leave, and is told when there is more',
  async (t) => {
    for (const [kind, most] of [
      ['submit', 10],
      ['poll', 9],
    ] as const) {
      const first = taken(FRESH, kind, NOBODY);
      t.equal(first.taken, most);
      t.equal(first.waitMs, 698);
      t.equal(taken(first.budget, kind, NOBODY).taken, 0);
      t.equal(taken(first.budget, kind, NOBODY, 1, NOW + 698).taken, 1);
    }
    t.equal(taken(FRESH, 'submit', NOBODY, 3).waitMs, 0, 'nothing is waited for where all was taken');
  },
);

t.test('while both wait every fifth call is a look', async (t) => {
  t.match(played(300, BOTH), /^(ssssl){85,}s{0,4}$/);
});

t.test('a look leaves the calls to submits that wait, until its turn', async (t) => {
  const one = taken(FRESH, 'submit', BOTH, 1).budget;
  t.match(taken(one, 'poll', BOTH), { taken: 0, waitMs: 600 });
  const four = taken(one, 'submit', BOTH);
  t.equal(four.taken, 3);
  t.match(
    taken(four.budget, 'submit', BOTH),
    { taken: 0, waitMs: 600 },
    'the next one is the look that waits',
  );
  const look = taken(four.budget, 'poll', BOTH);
  t.equal(look.taken, 1);
  t.equal(taken(look.budget, 'poll', BOTH).taken, 0);
  t.equal(taken(look.budget, 'submit', BOTH).taken, 4);
});

t.test('a turn ends with the looks that waited for it', async (t) => {
  const { budget } = taken(FRESH, 'submit', BOTH, 4);
  const alone = taken(budget, 'submit', { ...BOTH, pollsWait: false });
  t.equal(alone.taken, 6);
  t.equal(alone.budget.submitsInARow, 0);
});

t.test('submits that wait and take nothing keep no look from calls that lie there', async (t) => {
  const first = taken(FRESH, 'poll', BOTH);
  t.equal(first.taken, 1);
  t.equal(taken(first.budget, 'poll', BOTH, 99, NOW + 697).taken, 0);
  t.equal(taken(first.budget, 'poll', BOTH, 99, NOW + 698).taken, 1);
});

t.test('calls that were not made can be made', async (t) => {
  const { budget } = taken(FRESH, 'poll', NOBODY);
  t.equal(taken(giveBack(budget, 4), 'poll', NOBODY).taken, 4);
  t.equal(taken(giveBack(budget, 9), 'poll', NOBODY).taken, 9);
});

t.test('a pause holds back all calls, one of submits holds back these, the longest counts', async (t) => {
  const paused = { ...FRESH, pausedUntil: NOW + 5_000 };
  t.match(taken(paused, 'submit', NOBODY), { taken: 0, waitMs: 5_000, budget: paused });
  t.match(taken(paused, 'poll', NOBODY), { taken: 0, waitMs: 5_000 });
  t.equal(taken(paused, 'poll', NOBODY, 99, NOW + 5_000).taken, 9);

  const full = { ...FRESH, submitsPausedUntil: NOW + 7_000 };
  t.match(taken(full, 'submit', BOTH), { taken: 0, waitMs: 7_000 });
  t.equal(taken(full, 'poll', BOTH).taken, 9, 'submits that may not be made outrank nobody');
  t.equal(taken({ ...full, restUntil: NOW + 9_000, pausedUntil: NOW + 1 }, 'submit', NOBODY).waitMs, 9_000);
});

t.test('what shows of it', async (t) => {
  const budget = {
    ...FRESH,
    pausedUntil: NOW + 5_000,
    restUntil: NOW + 3_000,
    submitsPausedUntil: NOW + 9_000,
  };
  t.strictSame(stateOf(budget, NOW), { state: 'resting', until: NOW + 3_000 });
  t.strictSame(stateOf(budget, NOW + 3_000), { state: 'paused', until: NOW + 5_000 });
  t.strictSame(stateOf(budget, NOW + 5_000), { state: 'ok', until: null });
});

t.test('a clock that was an hour ahead leaves no pause, and a burst used at most', async (t) => {
  const late = NOW + 3_600_000;
  for (const pause of ['pausedUntil', 'restUntil', 'submitsPausedUntil']) {
    const budget = { ...FRESH, [pause]: late };
    t.equal(taken(budget, 'submit', NOBODY).taken, 10, pause);
    t.equal(stateOf(budget, NOW).state, 'ok', pause);
  }
  const { budget } = taken(FRESH, 'poll', NOBODY, 99, late);
  t.match(taken(budget, 'submit', NOBODY, 1), { taken: 0, waitMs: 698 });
  t.equal(
    taken({ ...FRESH, pausedUntil: NOW + 900_000 }, 'poll', NOBODY).waitMs,
    900_000,
    'the longest there is',
  );
});

const STEP = fc.record({
  afterMs: fc.oneof(fc.nat(2_000), fc.nat(70_000)),
  kind: fc.constantFrom<CallKind>('submit', 'poll'),
  wanted: fc.nat(150),
  unused: fc.double({ min: 0, max: 1, noNaN: true }),
  rivals: fc.record({ submitsWait: fc.boolean(), pollsWait: fc.boolean() }),
  said: fc.record({
    limit: fc.option(fc.integer({ min: 0, max: 2_000 })),
    remaining: fc.option(fc.nat(2)),
    resetInMs: fc.option(fc.integer({ min: -1_000, max: 100_000 })),
  }),
});

t.test('no minute sees more calls than the limit, whatever is taken, given back and learned', async () => {
  const limit = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 1_200 }));
  fc.assert(
    fc.property(limit, fc.array(STEP, { maxLength: 150 }), (callsPerMinute, steps) => {
      const limits = { callsPerMinute, tasks: 3 };
      const made: number[] = [];
      let [budget, now] = [newBudget(limits), NOW];
      for (const { afterMs, kind, wanted, unused, rivals, said } of steps) {
        now += afterMs;
        const got = take(budget, kind, wanted, now, limits, rivals);
        const back = Math.floor(got.taken * unused);
        budget = afterReply(giveBack(got.budget, back), { kind: 'ok' }, said, now, limits);
        for (let i = 0; i < got.taken - back; i++) made.push(now);
      }
      return made.every((at, i) => at - (made[i - callsPerMinute] ?? Number.NEGATIVE_INFINITY) >= MINUTE_MS);
    }),
    { numRuns: 500 },
  );
});
