/** What a key's budget learns from answers: less at once, more slowly. */

import t from 'tap';
import {
  afterReply,
  holdsLooks,
  type KeyBudget,
  newBudget,
  type RateHeaders,
  type Signal,
  stateOf,
  take,
} from '../../src/domain/budget.js';

const NOW = 1_790_000_000_123;
const MINUTE_MS = 60_000;
const LIMITS = { callsPerMinute: 100, tasks: 3 };
const FRESH = newBudget(LIMITS);
const SILENT: RateHeaders = { limit: null, remaining: null, resetInMs: null };
const OK: Signal = { kind: 'ok' };
const REJECTED: Signal = { kind: 'rejected', looks: true };
/** The balance is used up: what was paid for may still be looked at. */
const UNPAID: Signal = { kind: 'rejected', looks: false };
const LOOKED: Signal = { kind: 'looked' };

function limited(retryAfterMs: number | null = null): Signal {
  return { kind: 'rate-limited', retryAfterMs };
}

function full(heldByOthers: number, retryAfterMs: number | null = null): Signal {
  return { kind: 'concurrency', retryAfterMs, heldByOthers };
}

/** After an answer, so many ms from now. */
function after(budget: KeyBudget, signal: Signal, atMs = 0, said: Partial<RateHeaders> = {}): KeyBudget {
  return afterReply(budget, signal, { ...SILENT, ...said }, NOW + atMs, LIMITS);
}

/** After one look, so many ms from now. */
function used(budget: KeyBudget, atMs: number, limits = LIMITS): KeyBudget {
  const rivals = { submitsWait: false, pollsWait: false };
  return take(budget, 'poll', 1, NOW + atMs, limits, rivals).budget;
}

/** How long each pause is where the same is answered again at the end of the one before. */
function pauses(
  signal: Signal,
  of: 'pausedUntil' | 'submitsPausedUntil' | 'restUntil',
  times: number,
): number[] {
  const lengths: number[] = [];
  let [budget, atMs] = [FRESH, 0];
  while (lengths.length < times) {
    budget = after(budget, signal, atMs);
    const untilMs = budget[of] - NOW;
    lengths.push((untilMs - atMs) / 1_000);
    atMs = untilMs;
  }
  return lengths;
}

t.test('a good answer that says nothing new changes nothing, and is not worth a write', async (t) => {
  t.equal(after(FRESH, OK), FRESH);
  t.equal(after(FRESH, OK, 0, { limit: 100, remaining: 57, resetInMs: 30_000 }), FRESH);
  t.equal(after(FRESH, OK, 0, { limit: 1_000 }), FRESH, 'no more than is configured');
});

t.test('a 429 without Retry-After: the pauses double, up to a minute', async (t) => {
  t.strictSame(pauses(limited(), 'pausedUntil', 7), [2, 4, 8, 16, 32, 60, 60]);
});

t.test('several 429 to calls that were under way together are one', async (t) => {
  const once = after(FRESH, limited());
  t.strictSame(after(after(once, limited(), 100), limited(), 1_999), once);
  t.equal(after(once, limited(), 2_000).pausedUntil, NOW + 2_000 + 4_000, 'the next is another');
});

t.test('after a good answer the pauses begin anew; the one that is on goes on', async (t) => {
  const good = after(after(FRESH, limited()), OK, 500);
  t.strictSame(stateOf(good, NOW + 500), { state: 'paused', until: NOW + 2_000 });
  t.equal(after(good, limited(), 3_000).pausedUntil, NOW + 3_000 + 2_000);
});

t.test('Retry-After is what it says: the longest of several, ten minutes at most', async (t) => {
  t.equal(after(FRESH, limited(7_000)).pausedUntil, NOW + 7_000);
  t.equal(after(after(FRESH, limited(7_000)), limited(3_000), 100).pausedUntil, NOW + 7_000);
  t.equal(after(after(FRESH, limited(7_000)), limited(9_000), 100).pausedUntil, NOW + 9_100);
  t.equal(after(FRESH, limited(86_400_000)).pausedUntil, NOW + 600_000);
  for (const ms of [0, -5_000]) t.equal(after(FRESH, limited(ms)).pausedUntil, NOW + 2_000, `${ms}`);
});

t.test('no call is left: none is made until the window is over, a minute at most', async (t) => {
  const left = (said: Partial<RateHeaders>) => after(FRESH, OK, 0, said).pausedUntil - NOW;
  t.equal(left({ remaining: 0, resetInMs: 12_000 }), 12_000);
  t.equal(left({ remaining: 0, resetInMs: 86_400_000 }), 60_000);
  for (const said of [
    { remaining: 1, resetInMs: 12_000 },
    { remaining: 0, resetInMs: -12_000 },
    { remaining: 0, resetInMs: 0 },
    { remaining: 0, resetInMs: null },
    { remaining: null, resetInMs: 12_000 },
  ])
    t.equal(after(FRESH, OK, 0, said), FRESH, JSON.stringify(said));
  const longer = after(FRESH, limited(20_000));
  t.equal(after(longer, OK, 0, { remaining: 0, resetInMs: 12_000 }).pausedUntil, NOW + 20_000);
});

t.test('too many tasks: what others hold is what there is, at once', async (t) => {
  t.equal(after(FRESH, full(2)).tasks, 2);
  t.equal(after(FRESH, full(0)).tasks, 1, 'one at least');
  t.equal(after(FRESH, full(5)).tasks, 3, 'never more than before');
  t.equal(after(after(FRESH, full(1)), full(2), 100).tasks, 1);
});

t.test('too many tasks holds back submits, and no look', async (t) => {
  t.strictSame(pauses(full(2), 'submitsPausedUntil', 7), [2, 4, 8, 16, 32, 60, 60]);
  const budget = after(FRESH, full(2, 11_000));
  t.equal(budget.submitsPausedUntil, NOW + 11_000);
  t.equal(stateOf(budget, NOW).state, 'ok');
  t.equal(after(after(budget, OK, 12_000), full(2), 13_000).submitsPausedUntil, NOW + 15_000);
});

t.test('one more task is tried every three minutes', async (t) => {
  let budget = after(FRESH, full(1));
  const tasks: number[] = [];
  for (const atMs of [179_999, 180_000, 359_999, 360_000]) {
    budget = used(budget, atMs);
    tasks.push(budget.tasks);
  }
  t.strictSame(tasks, [1, 2, 2, 3]);
  t.equal(budget.tasksLearnedAt, 0, 'nothing is left of what was learned');
  t.equal(after(budget, full(2), 400_000).tasks, 2, 'it is learned again');
});

t.test('a lower X-RateLimit-Limit holds at once, a higher one does not', async (t) => {
  const low = after(FRESH, OK, 0, { limit: 50 });
  t.equal(low.callsPerMinute, 50);
  t.equal(after(low, OK, 100, { limit: 80 }), low);
  t.equal(after(low, OK, 100, { limit: 20.9 }).callsPerMinute, 20);
  for (const limit of [0, 0.5]) t.equal(after(FRESH, OK, 0, { limit }), FRESH, 'a limit that allows nothing');
  t.equal(take(low, 'poll', 99, NOW, LIMITS, { submitsWait: false, pollsWait: false }).taken, 4);
});

t.test('a tenth more calls are tried every three minutes, up to what is configured', async (t) => {
  let budget = after(FRESH, OK, 0, { limit: 50 });
  const calls: number[] = [used(budget, 179_999).callsPerMinute];
  for (let minutes = 3; calls.length < 10; minutes += 3) {
    budget = used(budget, minutes * MINUTE_MS);
    calls.push(budget.callsPerMinute);
  }
  t.strictSame(calls, [50, 55, 60, 66, 72, 79, 86, 94, 100, 100]);
  t.equal(budget.callsLearnedAt, 0);
  const one = after(FRESH, OK, 0, { limit: 1 });
  t.equal(used(one, 180_000).callsPerMinute, 2, 'one more at least');
});

t.test('a low limit that is said again is not raised, and written once a minute', async (t) => {
  const low = after(FRESH, OK, 0, { limit: 50 });
  t.equal(after(low, OK, 59_999, { limit: 50 }), low);
  const again = after(low, OK, 60_000, { limit: 50 });
  t.equal(used(again, 239_999).callsPerMinute, 50);
  t.equal(used(again, 240_000).callsPerMinute, 55);
});

t.test('what is configured holds where nothing was learned, also once it is changed', async (t) => {
  const more = used(FRESH, 0, { callsPerMinute: 200, tasks: 5 });
  t.match(more, { callsPerMinute: 200, tasks: 5 });
  t.match(used(more, 1_000, { callsPerMinute: 10, tasks: 1 }), { callsPerMinute: 10, tasks: 1 });
  const low = after(after(FRESH, full(1)), OK, 0, { limit: 50 });
  t.match(used(low, 1_000, { callsPerMinute: 200, tasks: 5 }), { callsPerMinute: 50, tasks: 1 });
  t.match(used(low, 1_000, { callsPerMinute: 20, tasks: 1 }), { callsPerMinute: 20, tasks: 1 });
});

t.test('what was learned by a clock that was ahead is not kept until that hour', async (t) => {
  const low = after(after(FRESH, full(1), 3_600_000), OK, 3_600_000, { limit: 50 });
  t.match(used(low, 0), { callsPerMinute: 55, tasks: 2 });
});

t.test('401, 402: the key rests, twice as long each time, up to a quarter of an hour', async (t) => {
  t.strictSame(pauses(REJECTED, 'restUntil', 7), [30, 60, 120, 240, 480, 900, 900]);
  const rests = after(FRESH, REJECTED);
  t.strictSame(stateOf(rests, NOW), { state: 'resting', until: NOW + 30_000 });
  t.equal(after(rests, REJECTED, 29_999), rests, 'several under way together are one');
  const good = after(rests, OK, 31_000);
  t.equal(after(good, REJECTED, 32_000).restUntil, NOW + 62_000);
});

t.test('an account that cannot pay keeps submits back, and no looks', async (t) => {
  const rests = after(FRESH, UNPAID);
  const rivals = { submitsWait: true, pollsWait: true };
  const taken = (budget: KeyBudget, kind: 'submit' | 'poll') =>
    take(budget, kind, 1, NOW + 1_000, LIMITS, rivals).taken;
  t.strictSame([taken(rests, 'submit'), taken(rests, 'poll')], [0, 1]);
  t.equal(stateOf(rests, NOW + 1_000).state, 'resting');
  t.equal(holdsLooks(rests, NOW + 1_000), false);

  const refusedAltogether = after(rests, REJECTED, 1_000);
  t.strictSame([taken(refusedAltogether, 'submit'), taken(refusedAltogether, 'poll')], [0, 0]);
  t.equal(refusedAltogether.restUntil, rests.restUntil, 'for no longer');
  t.equal(holdsLooks(refusedAltogether, NOW + 1_000), true);
});

t.test('a look that is answered does not make the next rest a short one', async (t) => {
  const rests = after(after(FRESH, UNPAID), LOOKED, 20_000);
  t.equal(after(rests, UNPAID, 30_000).restUntil, NOW + 90_000);
  t.equal(after(after(rests, OK, 30_000), UNPAID, 31_000).restUntil, NOW + 61_000);
});

t.test('a look that is answered does not make the next pause of submits a short one', async (t) => {
  const paused = after(after(FRESH, full(1)), LOOKED, 1_000);
  t.equal(after(paused, full(1), 2_000).submitsPausedUntil, NOW + 6_000);
});
