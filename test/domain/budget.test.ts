/** What a key's budget learns from answers: less at once, more slowly. */

import t from 'tap';
import {
  afterReply,
  callsPerMinuteOf,
  type Learned,
  NOTHING_LEARNED,
  type RateHeaders,
  type Signal,
  slotsOf,
  stateOf,
  termsOf,
  waitMs,
} from '../../src/domain/limits/budget.js';

const NOW = 1_790_000_000_123;
const MINUTE_MS = 60_000;
const LIMITS = { callsPerMinute: 100, tasks: 3 };
const FRESH = NOTHING_LEARNED;
const SILENT: RateHeaders = { limit: null, remaining: null, resetInMs: null };
const OK: Signal = { kind: 'ok', held: 0 };
const REJECTED: Signal = { kind: 'rejected', polls: true };
/** The balance is used up: what was paid for may still be polled. */
const UNPAID: Signal = { kind: 'rejected', polls: false };
const POLLED: Signal = { kind: 'polled' };

function limited(retryAfterMs: number | null = null): Signal {
  return { kind: 'rate-limited', retryAfterMs };
}

function full(heldBesides: number, retryAfterMs: number | null = null): Signal {
  return { kind: 'concurrency', retryAfterMs, heldBesides };
}

/** After an answer, so many ms from now. */
function after(budget: Learned, signal: Signal, atMs = 0, said: Partial<RateHeaders> = {}): Learned {
  return afterReply(budget, signal, { ...SILENT, ...said }, NOW + atMs, LIMITS);
}

function perMinute(learned: Learned, atMs: number, limits = LIMITS): number {
  return callsPerMinuteOf(learned, NOW + atMs, limits);
}

function slots(learned: Learned, atMs: number, limits = LIMITS): number {
  return slotsOf(learned, NOW + atMs, limits);
}

/** How long each pause is where the same is answered again at the end of the one before. */
function pauses(signal: Signal, of: 'pausedUntil' | 'restUntil', times: number): number[] {
  const lengths: number[] = [];
  let [budget, atMs] = [FRESH as Learned, 0];
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

const MANY = { callsPerMinute: 100, tasks: 20 };

/** Of a key that had 20 slots, after 8 were in use and the ninth was refused. */
function refused(atMs = 0): Learned {
  return afterReply(FRESH, full(8), SILENT, NOW + atMs, MANY);
}

t.test('[F58] too many tasks: as many as there are is what fits, at once', async (t) => {
  t.equal(slots(after(FRESH, full(2)), 0), 2);
  t.equal(slots(after(FRESH, full(0)), 0), 0, 'none at all, until one is tried');
  t.equal(slots(after(FRESH, full(5)), 0), 3, 'never more than before');
  t.equal(slots(after(after(FRESH, full(1)), full(2), 100), 100), 1, 'several under way together are one');
  t.equal(waitMs(after(FRESH, full(2)), 'submit', NOW), 0, 'a slot that becomes free is used');
});

t.test(
  '[F58] one more is tried after seconds, and twice as much after each that there was room for',
  async (t) => {
    let learned = refused();
    t.strictSame([slots(learned, 4_999, MANY), slots(learned, 5_000, MANY)], [8, 9]);
    const seen: number[] = [];
    for (let held = 9; held < 20; held = slots(learned, 6_000, MANY)) {
      learned = afterReply(learned, { kind: 'ok', held }, SILENT, NOW + 6_000, MANY);
      seen.push(slots(learned, 6_000, MANY));
    }
    t.strictSame(seen, [10, 11, 12, 13, 14, 15, 16, 18, 20], 'an eighth more at most');
    t.equal(
      afterReply(learned, { kind: 'ok', held: 20 }, SILENT, NOW + 7_000, MANY).tasks,
      null,
      'nothing is left of it',
    );
    const few = afterReply(refused(), { kind: 'ok', held: 8 }, SILENT, NOW + 6_000, MANY);
    t.strictSame(few, refused(), 'where no more than fit were in use, nothing was found out');
  },
);

t.test('[F58] refused again and again, one more is tried once a minute', async (t) => {
  let [learned, atMs] = [refused(), 0];
  const pauses: number[] = [];
  for (let i = 0; i < 6; i++) {
    let afterMs = 0;
    while (slots(learned, atMs + afterMs, MANY) === 8) afterMs += 100;
    pauses.push(afterMs / 1_000);
    atMs += afterMs;
    learned = afterReply(learned, full(8), SILENT, NOW + atMs, MANY);
  }
  t.strictSame(pauses.slice(0, 2), [5, 55]);
  for (const pause of pauses.slice(2)) t.ok(pause >= 55 && pause <= 65, `${pauses}`);
});

t.test('[F58] where others took slots that were ours, some are yielded', async (t) => {
  const learned = afterReply(
    afterReply(FRESH, full(15), SILENT, NOW, MANY),
    full(12),
    SILENT,
    NOW + 60_000,
    MANY,
  );
  t.equal(slots(learned, 60_000, MANY), 10);
});

t.test('too many tasks, with a time to wait: no submit until then, but polls', async (t) => {
  const learned = after(FRESH, full(2, 11_000));
  t.equal(waitMs(learned, 'submit', NOW), 11_000);
  t.equal(waitMs(learned, 'poll', NOW), 0);
  t.equal(stateOf(learned, NOW).state, 'ok');
  t.equal(waitMs(after(FRESH, full(2, 86_400_000)), 'submit', NOW), 600_000);
});

t.test('a lower X-RateLimit-Limit holds at once, a higher one does not', async (t) => {
  const low = after(FRESH, OK, 0, { limit: 50 });
  t.equal(perMinute(low, 0), 50);
  t.equal(after(low, OK, 100, { limit: 80 }), low);
  t.equal(perMinute(after(low, OK, 100, { limit: 20.9 }), 100), 20);
  for (const limit of [0, 0.5]) t.equal(after(FRESH, OK, 0, { limit }), FRESH, 'a limit that allows nothing');
  t.strictSame(termsOf('key', low, NOW, LIMITS).calls.burst, 5);
});

t.test('a tenth more calls are tried every three minutes, up to what is configured', async (t) => {
  const low = after(FRESH, OK, 0, { limit: 50 });
  const calls = [perMinute(low, 179_999)];
  for (let minutes = 3; calls.length < 10; minutes += 3) calls.push(perMinute(low, minutes * MINUTE_MS));
  t.strictSame(calls, [50, 55, 60, 66, 72, 79, 86, 94, 100, 100]);
  const one = after(FRESH, OK, 0, { limit: 1 });
  t.equal(perMinute(one, 180_000), 2, 'one more at least');
  t.equal(perMinute(after(low, OK, 360_000, { limit: 55 }), 360_000), 55, 'said again to be less');
});

t.test('a low limit that is said again is not raised, and written once a minute', async (t) => {
  const low = after(FRESH, OK, 0, { limit: 50 });
  t.equal(after(low, OK, 59_999, { limit: 50 }), low);
  const again = after(low, OK, 60_000, { limit: 50 });
  t.equal(perMinute(again, 239_999), 50);
  t.equal(perMinute(again, 240_000), 55);
});

t.test('what is configured holds where nothing was learned, also once it is changed', async (t) => {
  for (const limits of [
    { callsPerMinute: 200, tasks: 5 },
    { callsPerMinute: 10, tasks: 1 },
  ]) {
    t.equal(perMinute(FRESH, 0, limits), limits.callsPerMinute);
    t.equal(slots(FRESH, 0, limits), limits.tasks);
  }
  const low = after(after(FRESH, full(1)), OK, 0, { limit: 50 });
  t.strictSame([perMinute(low, 1_000), slots(low, 1_000)], [50, 1]);
  const less = { callsPerMinute: 20, tasks: 1 };
  t.strictSame([perMinute(low, 1_000, less), slots(low, 9_000, less)], [20, 1]);
});

t.test('what was learned by a clock that was ahead is not kept until that hour', async (t) => {
  const low = after(after(FRESH, full(1), 3_600_000), OK, 3_600_000, { limit: 50 });
  t.equal(slots(low, 0), 2);
  t.equal(perMinute(low, 0), 100);
  for (const pause of ['pausedUntil', 'restUntil', 'submitsPausedUntil']) {
    const learned = { ...FRESH, [pause]: NOW + 3_600_000 };
    t.equal(waitMs(learned, 'submit', NOW), 0, pause);
    t.equal(stateOf(learned, NOW).state, 'ok', pause);
  }
  t.equal(waitMs({ ...FRESH, pausedUntil: NOW + 900_000 }, 'poll', NOW), 900_000, 'the longest there is');
});

t.test('the longest of pauses counts, and what shows of them', async (t) => {
  const learned = {
    ...FRESH,
    pausedUntil: NOW + 5_000,
    restUntil: NOW + 3_000,
    submitsPausedUntil: NOW + 9_000,
  };
  t.strictSame([waitMs(learned, 'submit', NOW), waitMs(learned, 'poll', NOW)], [9_000, 5_000]);
  t.strictSame(stateOf(learned, NOW), { state: 'resting', until: NOW + 3_000 });
  t.strictSame(stateOf(learned, NOW + 3_000), { state: 'paused', until: NOW + 5_000 });
  t.strictSame(stateOf(learned, NOW + 5_000), { state: 'ok', until: null });
});

t.test('401, 402: the key rests, twice as long each time, up to a quarter of an hour', async (t) => {
  t.strictSame(pauses(REJECTED, 'restUntil', 7), [30, 60, 120, 240, 480, 900, 900]);
  const rests = after(FRESH, REJECTED);
  t.strictSame(stateOf(rests, NOW), { state: 'resting', until: NOW + 30_000 });
  t.equal(after(rests, REJECTED, 29_999), rests, 'several under way together are one');
  const good = after(rests, OK, 31_000);
  t.equal(after(good, REJECTED, 32_000).restUntil, NOW + 62_000);
});

t.test('an account that cannot pay keeps submits back, and no polls', async (t) => {
  const rests = after(FRESH, UNPAID);
  const waits = (learned: Learned) => [
    waitMs(learned, 'submit', NOW + 1_000),
    waitMs(learned, 'poll', NOW + 1_000),
  ];
  t.strictSame(waits(rests), [29_000, 0]);
  t.equal(stateOf(rests, NOW + 1_000).state, 'resting');

  const refusedAltogether = after(rests, REJECTED, 1_000);
  t.strictSame(waits(refusedAltogether), [29_000, 29_000]);
  t.equal(refusedAltogether.restUntil, rests.restUntil, 'for no longer');
});

t.test('a poll that is answered does not make the next rest a short one', async (t) => {
  const rests = after(after(FRESH, UNPAID), POLLED, 20_000);
  t.equal(after(rests, UNPAID, 30_000).restUntil, NOW + 90_000);
  t.equal(after(after(rests, OK, 30_000), UNPAID, 31_000).restUntil, NOW + 61_000);
});
