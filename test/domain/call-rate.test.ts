/** Calls a minute: never more than 95 % of the limit in any minute, and hardly less where all are wanted. */

import fc from 'fast-check';
import t from 'tap';
import { paceOf } from '../../src/domain/limits/call-rate.js';
import { giveBackCalls, takeCalls } from './gcra.js';

const NOW = 1_790_000_000_123;
const MINUTE_MS = 60_000;

/** When the calls leave that are taken after each of these pauses. */
function departures(limit: number, asks: ReadonlyArray<{ afterMs: number; wanted: number }>): number[] {
  const left: number[] = [];
  let [tatMs, now] = [0, NOW];
  for (const { afterMs, wanted } of asks) {
    now += afterMs;
    const got = takeCalls(tatMs, paceOf(limit), now, wanted);
    tatMs = got.tatMs;
    for (let i = 0; i < got.taken; i++) left.push(now);
  }
  return left;
}

function mostInAMinute(left: readonly number[]): number {
  let [most, from] = [0, 0];
  for (const [i, at] of left.entries()) {
    while (at - (left[from] ?? at) >= MINUTE_MS) from += 1;
    most = Math.max(most, i - from + 1);
  }
  return most;
}

const LIMITS = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 21, max: 1200 }));

t.test('whatever is asked for when, no minute sees more than 95 % of the limit', async () => {
  const asks = fc.array(fc.record({ afterMs: fc.nat(9_000), wanted: fc.nat(200) }), { maxLength: 200 });
  fc.assert(
    fc.property(LIMITS, asks, (limit, asked) => {
      return mostInAMinute(departures(limit, asked)) <= Math.max(1, 0.95 * limit);
    }),
  );
});

t.test('who always wants calls gets most of what is allowed', async (t) => {
  for (const limit of [1, 2, 3, 5, 10, 20, 60, 100, 1000]) {
    const asks = Array.from({ length: 60_000 }, () => ({ afterMs: 10, wanted: 50 }));
    const left = departures(limit, asks);
    const most = mostInAMinute(left);
    t.ok(most <= Math.max(1, 0.95 * limit), `${limit}: at most ${most} in a minute`);
    t.ok(
      left.length / 10 >= Math.max(1, Math.floor(0.85 * limit) * 0.99) - 0.1,
      `${limit}: ${left.length / 10} a minute`,
    );
  }
});

t.test('the wait is exact: a call is to be had then, and none a millisecond sooner', async () => {
  fc.assert(
    fc.property(LIMITS, fc.integer({ min: 1, max: 300 }), (limit, wanted) => {
      const { tatMs, waitMs, taken } = takeCalls(0, paceOf(limit), NOW, wanted);
      if (taken === wanted) return waitMs === 0;
      return (
        takeCalls(tatMs, paceOf(limit), NOW + waitMs, 1).taken === 1 &&
        takeCalls(tatMs, paceOf(limit), NOW + waitMs - 1, 1).taken === 0
      );
    }),
  );
});

t.test('what is given back can be taken again, and no more than that', async (t) => {
  const { tatMs, taken } = takeCalls(0, paceOf(100), NOW, 99);
  t.equal(taken, 10);
  const again = takeCalls(giveBackCalls(tatMs, paceOf(100), 3), paceOf(100), NOW, 99);
  t.equal(again.taken, 3);
  t.equal(again.tatMs, tatMs);
});

t.test('a number from a clock that was an hour ahead costs a burst, not an hour', async (t) => {
  const { taken, waitMs } = takeCalls(NOW + 3_600_000, paceOf(100), NOW, 1);
  t.equal(taken, 0);
  t.ok(waitMs <= 1_000, `${waitMs} ms`);
  // What was written by then is not made worse either.
  t.equal(takeCalls(NOW + 3_600_000, paceOf(100), NOW, 0).tatMs, NOW + 3_600_000);
});

t.test('what is left of a burst is there for whoever may have all of it', async (t) => {
  for (const limit of [20, 60, 100, 1000]) {
    const burst = takeCalls(0, paceOf(limit), NOW, limit).taken;
    const polls = takeCalls(0, paceOf(limit), NOW, limit, 1);
    t.equal(polls.taken, burst - 1, `${limit}: polls`);
    t.equal(takeCalls(polls.tatMs, paceOf(limit), NOW, limit, 1).taken, 0, `${limit}: no more of them`);
    t.equal(takeCalls(polls.tatMs, paceOf(limit), NOW, limit).taken, 1, `${limit}: a submit`);
    const later = NOW + takeCalls(polls.tatMs, paceOf(limit), NOW, 1, 1).waitMs;
    t.equal(takeCalls(polls.tatMs, paceOf(limit), later - 1, 1, 1).taken, 0);
    t.equal(takeCalls(polls.tatMs, paceOf(limit), later, 1, 1).taken, 1, `${limit}: the wait is exact`);
  }
  t.equal(takeCalls(0, paceOf(10), NOW, 1, 1).taken, 1, 'a burst of one is not kept from anybody');
});
