/** What replicas share of the limits over one store, and what each keeps to itself. */

import t, { type Test } from 'tap';
import type { RateHeaders } from '../../src/domain/limits/budget.js';
import type { CallResult } from '../../src/domain/limits/limits.js';
import { Limits } from '../../src/gateway/limits/limits.js';
import { type Outlook, StoreUnavailableError } from '../../src/store/store.js';
import { avatarOf, dueIn, SUBMISSION } from '../store/fixtures.js';
import { clockedStore, far, NOW } from './clocked.js';

const CEILING = { callsPerMinute: 100, tasks: 3 };
const SILENT: RateHeaders = { limit: null, remaining: null, resetInMs: null };
const OK = { kind: 'ok', held: 0 } as const;
const POLLED = { kind: 'polled' } as const;
const SUBMIT = { call: 'submit' } as const;
const DOCUMENT = 'limits-3';

async function replicas(t: Test) {
  const { store, pass } = await clockedStore(t);
  const made = () => new Limits(store, CEILING, () => 1, ['/submit']);
  const [a, b] = [made(), made()];
  /** Lets so much time pass, and both hear what the other learned. */
  const later = async (ms: number) => {
    pass(ms);
    await Promise.all([a.refresh(), b.refresh()]);
  };
  await later(0);
  return { a, b, store, later };
}

/** After a call of a kind with the key; a poll where not said. */
function report(
  limits: Limits,
  said: CallResult['said'],
  {
    call = 'poll',
    headers = SILENT,
    task = 'av_1',
  }: { call?: CallResult['call']; headers?: RateHeaders; task?: string } = {},
) {
  return limits.report({ keyId: 'key', call, path: '/submit', said, headers }, task);
}

/** Whether a submit and a poll may be made with the key. */
function may(limits: Limits, key = 'key'): [submit: boolean, poll: boolean] {
  return [limits.submitTerms([{ id: key }]).length > 0, limits.pollTerms(key) !== null];
}

/** After five polls in a row that failed, of which each replica met some. */
async function broken(t: Test) {
  const all = await replicas(t);
  const { a, b, later } = all;
  for (const limits of [a, b, a, b, a]) await report(limits, 'failed');
  await later(500);
  return all;
}

t.test('a pause is as long as was asked for, however late the store was heard', async (t) => {
  const clocked = await clockedStore(t);
  const ways = { thereMs: 40, backMs: 50 };
  const limits = new Limits(far(clocked, ways), CEILING, () => 1, ['/submit']);
  await limits.refresh();
  Object.assign(ways, { thereMs: 0, backMs: 0 });
  await report(limits, { kind: 'rate-limited', retryAfterMs: 2_000 });
  clocked.pass(1_999);
  t.same(may(limits), [false, false]);
  clocked.pass(1 + 40 + 50);
  t.same(may(limits), [true, true]);
});

t.test('after five failures in a row, whoever met them, nobody calls', async (t) => {
  const { a, b, later } = await replicas(t);
  for (const limits of [a, b, a, b]) await report(limits, 'failed');
  await report(a, POLLED);
  for (const limits of [a, b, a, b]) await report(limits, 'failed');
  t.same(may(b), [true, true], 'not yet: one in between was good');
  t.equal(a.isOpen, false);
  t.equal(a.nextProbeInMs(), null);

  t.match(await report(a, 'failed'), { opened: 'modellix' });
  t.equal(b.isOpen, false, 'the fifth was not its own');
  await later(500);
  for (const limits of [a, b]) {
    t.same(may(limits), [false, false]);
    t.equal(limits.isOpen, true);
    t.equal(limits.nextProbeInMs(), 1_500);
  }
});

t.test('one probe for all, once it is due', async (t) => {
  const { a, b, later } = await broken(t);
  t.strictSame(await Promise.all([a.beginProbe(), b.beginProbe()]), [null, null], 'it is not');
  await later(1_500);
  const got = await Promise.all([a.beginProbe(), b.beginProbe(), a.beginProbe(), b.beginProbe()]);
  t.strictSame(got.filter(Boolean), ['shared']);
  t.same(may(a), [false, false], 'and no call besides');
  await b.endProbe('shared', 'ok');
  t.same(may(b), [true, true]);
  await later(500);
  t.same(may(a), [true, true]);
  t.equal(await a.beginProbe(), null);
});

t.test('a bad probe has the next one wait longer; one that nobody ended is given up', async (t) => {
  const { a, b, later } = await broken(t);
  await later(1_500);
  t.equal(await a.beginProbe(), 'shared');
  await a.endProbe('shared', 'failed');
  await later(3_000);
  t.equal(await b.beginProbe(), null);
  await later(1_000);
  t.equal(await b.beginProbe(), 'shared');
  await later(19_000);
  t.equal(await a.beginProbe(), null, 'it has 20 seconds');
  await later(1_000);
  t.equal(await a.beginProbe(), 'shared');
});

t.test('[B3] what has no connection stops by itself, and holds up no other', async (t) => {
  const { a, b, store, later } = await replicas(t);
  const { revision } = await store.document(DOCUMENT);
  t.match(await report(a, 'unreachable', SUBMIT), { opened: 'connection' });
  t.match(await report(a, 'unreachable'), { opened: null }, 'it is said once');
  t.equal((await store.document(DOCUMENT)).revision, revision, 'nobody else hears of it');
  t.same(
    [may(a), may(b)],
    [
      [false, false],
      [true, true],
    ],
  );
  t.strictSame([a.isOpen, b.isOpen], [true, false]);
  await later(2_000);
  t.equal(await a.beginProbe(), 'own');
  t.equal(await a.beginProbe(), null, 'one at a time');
  await a.endProbe('own', 'unreachable');
  t.equal(a.nextProbeInMs(), 4_000);
  await later(4_000);
  t.equal(await a.beginProbe(), 'own');
  await a.endProbe('own', 'failed');
  t.same(may(a), [true, true], 'what answers, if badly, can be reached');
});

t.test('[B3] who finds no way out over the probe of all leaves it to another', async (t) => {
  const { a, b, later } = await broken(t);
  await later(1_500);
  t.equal(await a.beginProbe(), 'shared');
  await a.endProbe('shared', 'unreachable');
  await later(500);
  t.equal(await b.beginProbe(), 'shared', 'at once');
  await b.endProbe('shared', 'ok');
  await later(500);
  t.same(
    [may(a), may(b)],
    [
      [false, false],
      [true, true],
    ],
  );
});

t.test('[A7] submits that fail while polls work are tried one at a time, and later each time', async (t) => {
  const { a, b, later } = await replicas(t);
  for (const limits of [a, b, a, b]) {
    await report(limits, 'failed', SUBMIT);
    await report(b, POLLED);
  }
  t.match(await report(a, 'failed', SUBMIT), { opened: 'submits' });
  for (const pauseMs of [2_000, 4_000, 8_000, 16_000]) {
    await later(pauseMs - 1);
    await Promise.all([a.submitTry.begin(), b.submitTry.begin()]);
    t.same(
      [may(a), may(b)],
      [
        [false, true],
        [false, true],
      ],
    );
    t.equal(a.nextProbeInMs(), null, 'a probe says nothing of submits');
    await later(1);
    await later(500);
    await Promise.all([a.submitTry.begin(), b.submitTry.begin(), a.submitTry.begin()]);
    const triers = [a, b].filter((limits) => may(limits)[0]);
    t.equal(triers.length, 1, 'one of all');
    const [trier = a] = triers;
    t.equal(trier.mostSubmits, 1);
    await report(trier, 'failed', SUBMIT);
    t.same(may(trier), [false, true]);
  }
  await later(32_000);
  await a.submitTry.begin();
  t.same(may(a), [true, true]);
  await a.submitTry.drop();
  t.same(may(a), [false, true]);
  await later(500);
  await b.submitTry.begin();
  t.same(may(b), [true, true], 'one that was not made is another’s');
  await report(b, OK, SUBMIT);
  await later(500);
  t.same(
    [may(a), may(b)],
    [
      [true, true],
      [true, true],
    ],
  );
});

t.test('[A7] few submits are under way at once, until some were answered', async (t) => {
  const { a, later } = await replicas(t);
  t.equal(a.mostSubmits, 3);
  for (let i = 0; i < 10; i++) await report(a, OK, SUBMIT);
  t.equal(a.mostSubmits, 13);
  for (const most of [3, 3, 2, 1, 1]) {
    await report(a, 'failed', SUBMIT);
    t.equal(a.mostSubmits, most);
  }
  await report(a, OK, SUBMIT);
  t.equal(a.mostSubmits, 14);
  await later(60_000);
  t.equal(a.mostSubmits, 3);
});

t.test("[B4] one task's refusal does not rest the key; those of two do", async (t) => {
  const { a } = await replicas(t);
  const refused = (task: string) => report(a, { kind: 'rejected', polls: true }, { task });
  for (let i = 0; i < 5; i++) t.match(await refused('av_1'), { restMs: null });
  await report(a, POLLED);
  t.match(await refused('av_2'), { restMs: null });
  t.equal(a.isUsable('key'), true);
  t.match(await refused('av_1'), { restMs: 30_000 });
  t.equal(a.isUsable('key'), false);
});

t.test('[B12] of keys that are gone nothing is kept', async (t) => {
  const { a, store, later } = await replicas(t);
  const kept = async () => Object.keys(JSON.parse((await store.document(DOCUMENT)).value ?? '{}').keys);
  const headers = { ...SILENT, limit: 50 };
  await a.report({ keyId: 'old', call: 'poll', said: POLLED, headers }, 'av_1');
  t.strictSame(await kept(), ['old']);
  await later(24 * 3_600_000);
  await report(a, POLLED, { headers });
  t.strictSame(await kept(), ['key']);
});

t.test('what one learns of a key the other goes by', async (t) => {
  const { a, b, later } = await replicas(t);
  const known = (limits: Limits, key: string) => [limits.callsPerMinute(key), limits.slots(key)];
  t.strictSame(known(b, 'key'), [100, 3]);
  await report(a, { kind: 'concurrency', retryAfterMs: null, heldBesides: 1 }, SUBMIT);
  await report(a, OK, { call: 'submit', headers: { ...SILENT, limit: 50 } });
  t.strictSame(known(a, 'key'), [50, 1]);
  await later(500);
  t.strictSame(known(b, 'key'), [50, 1]);
  t.strictSame(known(b, 'other'), [100, 3]);
  t.match(b.submitTerms([{ id: 'key' }, { id: 'other' }]), [
    { keyId: 'key', slots: 1, calls: { burst: 5 } },
    { keyId: 'other', slots: 3, calls: { burst: 10 } },
  ]);
  t.match(b.pollTerms('key'), { burst: 5 });
});

t.test('a 429 to one is a pause for both', async (t) => {
  const { a, b, later } = await replicas(t);
  await report(a, { kind: 'rate-limited', retryAfterMs: 7_000 });
  await later(500);
  t.same(may(b), [false, false]);
  const limits = { callsPerMinute: 100, tasks: 3 };
  t.strictSame(b.keyState('key'), { id: 'key', state: 'paused', until: NOW + 7_000, ...limits });
  t.equal(b.isUsable('key'), true);
  await later(6_500);
  t.same(may(b), [true, true]);
  t.strictSame(b.keyState('key'), { id: 'key', state: 'ok', until: null, ...limits });
});

t.test('[F5] who has not heard of a pause begins nothing, and hears of it by that', async (t) => {
  const { a, b, store } = await replicas(t);
  const begin = async (limits: Limits, intent: string) =>
    store.begin({ intent, keys: limits.submitTerms([{ id: 'key' }]), leaseMs: 1_000 }, 1);
  for (let queued = 0; queued < 2; queued++) await store.admit(avatarOf(), [SUBMISSION], dueIn(1_000));
  t.equal((await begin(b, 'one')).begun.length, 1);
  await report(a, { kind: 'rate-limited', retryAfterMs: 7_000 });
  t.same(may(b), [true, true]);
  const { begun, waitMs } = await begin(b, 'two');
  t.same([begun, b.heed(waitMs)], [[], 0]);
  await b.refresh();
  t.same(may(b), [false, false]);
});

t.test('a key that was refused rests for both, and no other key does', async (t) => {
  const { a, b, later } = await replicas(t);
  await report(a, { kind: 'rejected', polls: false }, SUBMIT);
  await later(500);
  t.same(may(b), [false, true], 'what was paid for may still be polled');
  t.equal(b.isUsable('key'), false);
  t.equal(b.keyState('key').state, 'resting');
  t.equal(b.isUsable('other'), true);
  t.same(may(b, 'other'), [true, true]);
  t.equal(b.isOpen, false, 'Modellix answered: it is not away');
  await later(29_500);
  t.equal(b.isUsable('key'), true);
});

t.test('how fast the queue drains: what either saw counts, and is shared now and then', async (t) => {
  const { a, b, store, later } = await replicas(t);
  const queued = avatarOf({ createdAt: NOW });
  t.equal(a.startInMs(0), null);
  t.equal(a.roomInMs(), 30_000);
  for (const limits of [a, b, a]) {
    limits.leftQueue(queued);
    await limits.refresh();
    await later(10_000);
  }
  t.equal(a.startInMs(5), 55_000, 'one every 10 s, the last one 10 s ago');
  t.equal(a.roomInMs(), 5_000);
  const { revision } = await store.document('drain-1');
  for (let i = 0; i < 100; i++) {
    a.leftQueue(queued);
    await a.refresh();
  }
  t.equal((await store.document('drain-1')).revision, revision, 'not with each of them');
});

t.test('an answer that says nothing new is not written', async (t) => {
  const { a, b, store } = await replicas(t);
  const { revision } = await store.document(DOCUMENT);
  await report(a, OK, SUBMIT);
  await report(b, OK, { call: 'submit', headers: { limit: 100, remaining: 98, resetInMs: 50_000 } });
  await report(b, POLLED);
  t.equal((await store.document(DOCUMENT)).revision, revision);
});

t.test('[F58] slots that others give back are found by one try, and then by more', async (t) => {
  const { store, pass } = await clockedStore(t);
  const limits = new Limits(store, { callsPerMinute: 100, tasks: 20 }, () => 1, ['/submit']);
  const held = (slots: number) =>
    limits.update({
      keys: new Map([['key', { slots, due: 0, dueInMs: null }]]),
    } as Partial<Outlook> as Outlook);
  await report(limits, { kind: 'concurrency', retryAfterMs: null, heldBesides: 8 }, SUBMIT);
  t.equal(limits.slots('key'), 8);
  pass(5_000);
  t.equal(limits.slots('key'), 9);
  held(9);
  await report(limits, OK, SUBMIT);
  t.equal(limits.slots('key'), 10);
});

t.test('what is written in another form gives way to what is configured', async (t) => {
  const open = '"modellix":{"failures":0,"pauses":1,"tryAt":9e15,"trying":false}';
  for (const text of [`{${open},"submits":{}}`, `{${open},"keys":{}}`, 'null', '7']) {
    const { store } = await clockedStore(t);
    await store.swap(DOCUMENT, 0, text);
    const limits = new Limits(store, CEILING, () => 0, ['/submit']);
    await limits.refresh();
    t.equal(limits.isOpen, false, text);
    t.same(may(limits), [true, true], text);
    await store.close();
  }
});

t.test('without the store nothing that was learned is known', async (t) => {
  const { a, store } = await replicas(t);
  await store.close();
  await t.rejects(report(a, 'failed'), StoreUnavailableError);
});
