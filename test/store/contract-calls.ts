/** The part of the contract on calls: how fast they are given out, and how submits and polls share them. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { accepted } from '../../src/domain/moves.js';
import type { CallTerms, Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, beginFirst, beginWith, claim, dueIn, idsOf, KEY, LONG, SUBMISSION } from './fixtures.js';

/** No call comes back within a test. */
const slow = (burst: number): CallTerms => ({ intervalMs: LONG, burst });

async function queueUp(store: Store, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))));
}

/** Puts so many tasks where they are polled now with a key. None of its calls is in use then, nor may one be before. */
async function polls(store: Store, count: number, keyId = KEY): Promise<void> {
  await queueUp(store, count);
  const save = { dueInMs: 0, submission: 'drop' } as const;
  for (const { avatar, version } of await beginFirst(store, count, keyId)) {
    await store.save(accepted(avatar, `task of ${avatar.id}`, 0), version, save);
  }
  const { now } = await store.outlook([]);
  while ((await store.outlook([])).now <= now + 1);
}

/** How many submits a begin takes, and how long it says to wait. */
async function submit(store: Store, calls: CallTerms, limit = 99, slots = 1e6) {
  const { begun, waitMs } = await store.begin(beginWith({ keyId: KEY, slots, calls }), limit);
  return { taken: begun.length, waitMs };
}

async function poll(store: Store, calls: CallTerms, limit = 99, slots = 0, leaseMs = LONG) {
  const { claimed, waitMs } = await store.claim({ keyId: KEY, limit, leaseMs, calls, slots });
  return { taken: claimed.length, waitMs };
}

/** Whether it is about an interval: nobody knows how much of it is over. */
function isAbout(waitMs: number | null, ms: number): boolean {
  return waitMs !== null && waitMs <= ms && waitMs > ms - 60_000;
}

export function calls(check: Check): void {
  check('a burst of submits leaves at once, the next after an interval', async (t, { store }) => {
    await queueUp(store, 9);
    const first = await submit(store, slow(3));
    t.equal(first.taken, 3);
    t.ok(isAbout(first.waitMs, LONG), `${first.waitMs}`);
    const next = await submit(store, slow(3));
    t.equal(next.taken, 0);
    t.ok(isAbout(next.waitMs, LONG), `${next.waitMs}`);
    t.same(
      await submit(store, slow(3), 99, 3),
      { taken: 0, waitMs: null },
      'no slot is free, so no call is missing',
    );
    t.equal((await submit(store, slow(5))).taken, 2, 'a larger burst');
  });

  check('polls leave one call of a burst to submits, but have one in any case', async (t, { store }) => {
    await polls(store, 9);
    const taken = await poll(store, slow(3));
    t.equal(taken.taken, 2);
    t.ok(isAbout(taken.waitMs, LONG), `${taken.waitMs}`);
    t.equal((await poll(store, slow(3))).taken, 0);
    await queueUp(store, 2);
    t.equal((await submit(store, slow(3))).taken, 1);
    await polls(store, 3, 'key-2');
    const claimed = await store.claim({ keyId: 'key-2', limit: 9, leaseMs: LONG, calls: slow(1) });
    t.equal(claimed.claimed.length, 1);
  });

  check('a claim takes a call for each that it claims, and none without terms', async (t, { store }) => {
    await polls(store, 3);
    t.equal((await poll(store, slow(9), 1)).taken, 1, 'as many as were asked for');
    t.same(await poll(store, slow(9)), { taken: 2, waitMs: null }, 'no more are due');
    t.same(await poll(store, slow(9)), { taken: 0, waitMs: null });
    await polls(store, 3, 'key-2');
    for (const taken of [3, 3, 2, 0]) {
      const claimed = await store.claim({ keyId: 'key-2', limit: 9, leaseMs: 0, calls: slow(9) });
      t.equal(claimed.claimed.length, taken, 'eight of a burst of nine');
    }
    for (const limit of [3, 2]) t.equal((await claim(store, 'key-2', limit, 0)).length, limit);
  });

  check('each key has its own calls', async (t, { store }) => {
    await queueUp(store, 9);
    const keys = ['a', 'b'].map((keyId) => ({ keyId, slots: 99, calls: slow(2) }));
    const { begun, waitMs } = await store.begin(beginWith(...keys), 9);
    t.same(begun.map(({ avatar }) => avatar.keyId).toSorted(), ['a', 'a', 'b', 'b']);
    t.ok(isAbout(waitMs, LONG), `${waitMs}`);
  });

  check('while polls wait, four submits leave, then it is the turn of a poll', async (t, { store }) => {
    await polls(store, 9);
    await queueUp(store, 20);
    const terms = slow(100);
    t.same(await submit(store, terms), { taken: 4, waitMs: LONG });
    t.same(await submit(store, terms), { taken: 0, waitMs: LONG });
    t.same(await poll(store, terms, 99, 1e6), { taken: 1, waitMs: LONG });
    t.same(await poll(store, terms, 99, 1e6), { taken: 0, waitMs: LONG }, 'submits have their turn');
    for (const taken of [3, 1, 0]) t.equal((await submit(store, terms, 3)).taken, taken);
    t.equal((await poll(store, terms, 99, 1e6)).taken, 1);
  });

  check('an admission has its share of the calls like a begin', async (t, { store }) => {
    await polls(store, 3);
    const begin = () => beginWith({ keyId: KEY, slots: 99, calls: slow(100) });
    const admit = async () =>
      (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, { begin: begin() }))).outcome;
    const outcomes: string[] = [];
    while (outcomes.length < 5) outcomes.push(await admit());
    t.same(outcomes, ['begun', 'begun', 'begun', 'begun', 'queued']);
    t.equal((await poll(store, slow(100), 1, 99)).taken, 1);
    t.equal((await submit(store, slow(100))).taken, 1);
  });

  check('submits that no poll waits beside leave without bound', async (t, { store }) => {
    await queueUp(store, 20);
    const fast = { intervalMs: 1 / 256, burst: 100 };
    t.equal((await submit(store, fast, 9)).taken, 9);
    await polls(store, 2);
    await queueUp(store, 20);
    t.equal((await submit(store, slow(100))).taken, 4, 'they count from then on');
  });

  check('polls have all calls while no submit waits: nothing queued, or no slot', async (t, { store }) => {
    await polls(store, 20);
    t.equal((await poll(store, slow(100), 3, 1e6)).taken, 3, 'nothing is queued');
    await queueUp(store, 2);
    t.equal((await poll(store, slow(100), 3, 1)).taken, 3, 'as many slots are held as there are');
    t.equal((await poll(store, slow(100), 3, 0)).taken, 3, 'no submit may be made');
    t.equal((await poll(store, slow(100), 3)).taken, 3, 'nor is one thought of');
    t.same(await poll(store, slow(100), 3, 1e6), { taken: 0, waitMs: LONG }, 'now one waits');
  });

  check('a call that lies unused is no submit that a poll would keep waiting', async (t, { store }) => {
    await polls(store, 5);
    await queueUp(store, 5);
    const fast = { intervalMs: 1 / 256, burst: 100 };
    t.equal((await poll(store, fast, 99, 1e6)).taken, 1, 'one at a time');
    for (let taken = 0; taken === 0; ) taken = (await poll(store, fast, 99, 1e6)).taken;
    t.equal((await submit(store, slow(100), 2)).taken, 2);
    t.same(await poll(store, slow(100), 99, 1e6), { taken: 0, waitMs: LONG });
  });

  check('a call for what no avatar is due for is one of a poll, and no turn of one', async (t, { store }) => {
    await polls(store, 9);
    await queueUp(store, 9);
    t.equal((await submit(store, slow(8))).taken, 4);
    for (const waits of [false, false, false, true, true]) {
      const waitMs = await store.takeCall(KEY, slow(8));
      if (waits) t.ok(isAbout(waitMs, LONG), `${waitMs}`);
      else t.equal(waitMs, 0, 'seven of a burst of eight');
    }
    t.equal((await submit(store, slow(8))).taken, 0, 'it is still the turn of a poll');
    t.equal((await poll(store, slow(9), 9, 1e6)).taken, 1);
    t.equal((await submit(store, slow(9))).taken, 1);
    const taken = await Promise.all(Array.from({ length: 20 }, () => store.takeCall('key-2', slow(4))));
    t.equal(taken.filter((waitMs) => waitMs === 0).length, 3);
  });

  check('[F5] [F11] terms of a document that was changed since have no call', async (t, { store, peer }) => {
    const other = (await peer?.()) ?? store;
    const of = (revision: number): CallTerms => ({ ...slow(99), asOf: { document: 'learned', revision } });
    const admit = async (calls: CallTerms) => {
      const begin = beginWith({ keyId: KEY, slots: 1e6, calls });
      return (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, { begin }))).outcome;
    };
    const outdated = { taken: 0, waitMs: 0 };
    await polls(store, 4);
    t.equal(await admit(of(0)), 'begun', 'before there is a document');
    for (const revision of [0, 1]) {
      await other.swap('learned', revision, 'a pause');
      t.same(await poll(store, of(revision), 1), outdated);
      t.equal(await store.takeCall(KEY, of(revision)), 1);
      t.equal(await admit(of(revision)), 'queued');
      t.same(await submit(store, of(revision)), outdated);
      t.same(await poll(store, of(revision), 1, 1e6), outdated);
      t.equal((await poll(store, of(revision + 1), 1)).taken, 1);
      t.equal(await store.takeCall(KEY, of(revision + 1)), 0);
      t.equal((await submit(store, of(revision + 1))).taken, 1);
      t.equal(await admit(of(revision + 1)), 'begun');
    }
    await other.swap('another', 0, '');
    t.equal(await admit(of(2)), 'begun', 'another document is none of theirs');
    const begin = beginWith({ keyId: KEY, slots: 1e6, calls: of(2) });
    await queueUp(store, 2);
    const { begun } = await store.begin(begin, 1);
    await other.swap('learned', 2, 'a pause');
    t.same(idsOf((await store.begin(begin, 1)).begun), idsOf(begun), 'what a lost reply told of stays begun');
    t.same(await submit(store, of(2), 9, 1), { taken: 0, waitMs: null }, 'it is a slot that is missing');
  });

  check('no sequence of begins and claims takes more than the rate, or less', async (t, { store }) => {
    const terms = { intervalMs: 20, burst: 4 };
    await polls(store, 40);
    await queueUp(store, 200);
    const times: number[] = [];
    const asked = fc.sample(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 6 })), {
      numRuns: 400,
      seed: 17,
    });
    const from = (await store.outlook([])).now;
    let missed = 0;
    for (const [isPoll, limit] of asked) {
      const { now } = await store.outlook([]);
      if (now - from > 1_000) break;
      const taken = isPoll
        ? (await store.claim({ keyId: KEY, limit, leaseMs: 0, calls: terms })).claimed
        : (await store.begin(beginWith({ keyId: KEY, slots: 1e6, calls: terms }), limit)).begun;
      // Two intervals after a whole burst there is one for a poll.
      if (isPoll && taken.length === 0 && now - (times.at(-1) ?? 0) > 2 * terms.intervalMs) missed += 1;
      for (const { now } of taken) times.push(now);
    }
    for (let i = 0; i < times.length; i++) {
      for (let j = i; j < times.length; j++) {
        const span = (times[j] ?? 0) - (times[i] ?? 0);
        assert.ok(
          j - i + 1 <= terms.burst + (span + 1) / terms.intervalMs,
          `${j - i + 1} calls in ${span} ms`,
        );
      }
    }
    t.ok(times.length >= terms.burst, `${times.length} were taken`);
    t.equal(missed, 0, 'a call that is there is had');
  });

  check('what is taken, and how long is to be waited, is what the formula says', async (t, { store }) => {
    const step: fc.Arbitrary<Step> = fc.record({
      poll: fc.boolean(),
      limit: fc.integer({ min: 1, max: 5 }),
      intervalMs: fc.constantFrom(LONG / 7.03125, LONG, 3 * LONG),
      burst: fc.integer({ min: 1, max: 8 }),
    });
    let key = 0;
    const run = async (steps: readonly Step[]) => {
      const keyId = `key ${key++}`;
      // Between what it is at least and at most: when exactly the store looked at its clock is not known.
      let [least, most] = [0, 0];
      await polls(store, 6, keyId);
      for (const { poll, limit, intervalMs, burst } of steps) {
        const terms = { intervalMs, burst };
        const room = poll ? Math.max(1, burst - 1) : burst;
        const before = (await store.outlook([])).now;
        const { taken, waitMs } = poll
          ? await pollWith(store, keyId, terms, limit)
          : await submitWith(store, keyId, terms, limit);
        const after = (await store.outlook([])).now;
        const [few, many] = [gcra(most, terms, room, before, limit), gcra(least, terms, room, after, limit)];
        assert.ok(taken >= few.taken && taken <= many.taken, `${taken} of ${few.taken} to ${many.taken}`);
        if (taken < limit && few.taken === many.taken) {
          const isRight = waitMs !== null && waitMs >= many.waitMs && waitMs <= few.waitMs;
          assert.ok(isRight, `${waitMs} of ${many.waitMs} to ${few.waitMs}`);
        }
        if (taken === 0) continue;
        least = before + usedMs(least, terms, before) + taken * intervalMs;
        most = after + usedMs(most, terms, after) + taken * intervalMs;
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), run), { numRuns: 25 });
    t.pass('no sequence was found that differs');
  });
}

interface Step extends CallTerms {
  readonly poll: boolean;
  readonly limit: number;
}

async function pollWith(store: Store, keyId: string, calls: CallTerms, limit: number) {
  const { claimed, waitMs } = await store.claim({ keyId, limit, leaseMs: 0, calls });
  return { taken: claimed.length, waitMs };
}

/** So many wait as are asked for; what is left of them is taken away again. */
async function submitWith(store: Store, keyId: string, calls: CallTerms, limit: number) {
  // Nothing is due with the key meanwhile, so that its submits have no bound but the rate.
  const due = await claim(store, keyId, 99, LONG);
  await queueUp(store, limit);
  const { begun, waitMs } = await store.begin(beginWith({ keyId, slots: 1e6, calls }), limit);
  for (const { avatar, version } of begun) await store.remove(avatar.id, version);
  for (const { avatar, version } of await beginFirst(store, 99, 'the rest')) {
    await store.remove(avatar.id, version);
  }
  for (const { avatar, version } of due)
    await store.save(avatar, version, { dueInMs: 0, submission: 'keep' });
  return { taken: begun.length, waitMs };
}

/** The generic cell rate algorithm, as the port has it. `room`: what may be used of a burst. */
function gcra(tat: number, terms: CallTerms, room: number, now: number, wanted: number) {
  const { intervalMs } = terms;
  const used = usedMs(tat, terms, now);
  const taken = Math.max(0, Math.min(wanted, Math.floor(room - used / intervalMs)));
  return { taken, waitMs: Math.ceil(used + taken * intervalMs - (room - 1) * intervalMs) };
}

function usedMs(tat: number, { intervalMs, burst }: CallTerms, now: number): number {
  return Math.min(Math.max(0, tat - now), burst * intervalMs);
}
