/** The calls of one key: who gets them, and when nobody does. */

import fc from 'fast-check';
import t from 'tap';
import { afterReply, callsPerMinuteOf, NOTHING_LEARNED, waitMs } from '../../src/domain/limits/budget.js';
import { paceOf } from '../../src/domain/limits/call-rate.js';
import { type CallKind, type Calls, giveBack, type Rivals, take, UNUSED } from './call-share.js';

const NOW = 1_790_000_000_123;
const MINUTE_MS = 60_000;
/** A burst of 10, then a call every 0.7 s. */
const PACE = paceOf(100);
const NOBODY: Rivals = { submitsWait: false, pollsWait: false };
const BOTH: Rivals = { submitsWait: true, pollsWait: true };

function taken(calls: Calls, kind: CallKind, rivals: Rivals, wanted = 99, now = NOW) {
  return take(calls, kind, wanted, now, PACE, rivals);
}

/** The calls of so many seconds in which a submit and then a poll is tried for whenever there may be one. */
function played(seconds: number, rivals: Rivals): string {
  let [calls, now, made] = [UNUSED, NOW, ''];
  while (now < NOW + seconds * 1_000) {
    const submits = taken(calls, 'submit', rivals, 99, now);
    const polls = taken(submits.calls, 'poll', rivals, 99, now);
    made += 's'.repeat(submits.taken) + 'p'.repeat(polls.taken);
    calls = polls.calls;
    now += Math.min(submits.waitMs, polls.waitMs);
  }
  return made;
}

t.test(
  'who is alone gets all that is there, but for one that polls leave, and is told when there is more',
  async (t) => {
    for (const [kind, most] of [
      ['submit', 10],
      ['poll', 9],
    ] as const) {
      const first = taken(UNUSED, kind, NOBODY);
      t.equal(first.taken, most);
      t.equal(first.waitMs, 698);
      t.equal(taken(first.calls, kind, NOBODY).taken, 0);
      t.equal(taken(first.calls, kind, NOBODY, 1, NOW + 698).taken, 1);
    }
    t.equal(taken(UNUSED, 'submit', NOBODY, 3).waitMs, 0, 'nothing is waited for where all was taken');
  },
);

t.test('while both wait every fifth call is a poll', async (t) => {
  t.match(played(300, BOTH), /^(ssssp){85,}s{0,4}$/);
});

t.test('a poll leaves the calls to submits that wait, until its turn', async (t) => {
  const one = taken(UNUSED, 'submit', BOTH, 1).calls;
  t.match(taken(one, 'poll', BOTH), { taken: 0, waitMs: 698 });
  const four = taken(one, 'submit', BOTH);
  t.equal(four.taken, 3);
  t.match(
    taken(four.calls, 'submit', BOTH),
    { taken: 0, waitMs: 698 },
    'the next one is the poll that waits',
  );
  const poll = taken(four.calls, 'poll', BOTH);
  t.equal(poll.taken, 1);
  t.equal(taken(poll.calls, 'poll', BOTH).taken, 0);
  t.equal(taken(poll.calls, 'submit', BOTH).taken, 4);
});

t.test('a turn ends with the polls that waited for it', async (t) => {
  const { calls } = taken(UNUSED, 'submit', BOTH, 4);
  const alone = taken(calls, 'submit', { ...BOTH, pollsWait: false });
  t.equal(alone.taken, 6);
  t.equal(alone.calls.submitsInARow, 0);
});

t.test('submits that wait and take nothing keep no poll from calls that lie there', async (t) => {
  const first = taken(UNUSED, 'poll', BOTH);
  t.equal(first.taken, 1);
  t.equal(taken(first.calls, 'poll', BOTH, 99, NOW + 697).taken, 0);
  t.equal(taken(first.calls, 'poll', BOTH, 99, NOW + 698).taken, 1);
});

t.test('calls that were not made can be made', async (t) => {
  const { calls } = taken(UNUSED, 'poll', NOBODY);
  t.equal(taken(giveBack(calls, PACE, 4), 'poll', NOBODY).taken, 4);
  t.equal(taken(giveBack(calls, PACE, 9), 'poll', NOBODY).taken, 9);
});

t.test('a clock that was an hour ahead leaves a burst used at most', async (t) => {
  const { calls } = taken(UNUSED, 'poll', NOBODY, 99, NOW + 3_600_000);
  t.match(taken(calls, 'submit', NOBODY, 1), { taken: 0, waitMs: 698 });
});

t.test('a poll that finds a slot free is followed by a submit at once', async (t) => {
  let calls = UNUSED;
  const late: number[] = [];
  // Polls at every moment for two minutes, and after each of them, as it were, a submit.
  for (let now = NOW; now < NOW + 2 * MINUTE_MS; now += 100) {
    calls = taken(calls, 'poll', { submitsWait: false, pollsWait: true }, 50, now).calls;
    if (taken(calls, 'submit', BOTH, 1, now).taken === 0) late.push(now - NOW);
  }
  t.same(late, []);
});

t.test('where a minute has few calls, polls get theirs all the same', async (t) => {
  t.equal(take(UNUSED, 'poll', 1, NOW, paceOf(5), { submitsWait: false, pollsWait: true }).taken, 1);
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
      let [calls, learned, now] = [UNUSED, NOTHING_LEARNED, NOW];
      for (const { afterMs, kind, wanted, unused, rivals, said } of steps) {
        now += afterMs;
        if (waitMs(learned, kind, now) > 0) continue;
        const pace = paceOf(callsPerMinuteOf(learned, now, limits));
        const got = take(calls, kind, wanted, now, pace, rivals);
        const back = Math.floor(got.taken * unused);
        calls = giveBack(got.calls, pace, back);
        learned = afterReply(learned, { kind: 'ok', held: 0 }, said, now, limits);
        for (let i = 0; i < got.taken - back; i++) made.push(now);
      }
      return made.every((at, i) => at - (made[i - callsPerMinute] ?? Number.NEGATIVE_INFINITY) >= MINUTE_MS);
    }),
    { numRuns: 500 },
  );
});
