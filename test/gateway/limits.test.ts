/** The limits that replicas share: calls, slots and the breaker, over one store. */

import t, { type Test } from 'tap';
import { type CallSignal, Limits } from '../../src/gateway/limits/limits.js';
import { StoreUnavailableError } from '../../src/store/store.js';
import { clockedStore, far, NOW } from './clocked.js';

const CEILING = { callsPerMinute: 100, tasks: 3 };
const NOBODY = { submitsWait: false, pollsWait: false };
const SILENT = { limit: null, remaining: null, resetInMs: null };
const OK: CallSignal = { kind: 'ok' };
const DOCUMENT = 'limits-1';

async function replicas(t: Test) {
  const { store, pass } = await clockedStore(t);
  const [a, b] = [new Limits(store, CEILING, () => 1), new Limits(store, CEILING, () => 1)];
  await Promise.all([a.refresh(), b.refresh()]);
  return { a, b, store, pass };
}

function report(limits: Limits, signal: CallSignal, queuedSince: number | null = null) {
  return limits.report('key', signal, SILENT, queuedSince);
}

/** After five failures in a row, of which each replica met some. */
async function broken(t: Test) {
  const all = await replicas(t);
  const { a, b } = all;
  for (const limits of [a, b, a, b, a]) await report(limits, 'failed');
  return all;
}

t.test('two replicas at the same time get no more calls than one', async (t) => {
  const { a, b, pass } = await replicas(t);
  const all = Array.from({ length: 10 }, () => [a, b].map((limits) => limits.take('key', 'poll', 3, NOBODY)));
  const got = await Promise.all(all.flat());
  t.equal(
    got.reduce((sum, { taken }) => sum + taken, 0),
    9,
  );
  t.equal((await b.take('other', 'poll', 99, NOBODY)).taken, 9, 'each key has its own');
  const none = await a.take('key', 'poll', 1, NOBODY);
  t.strictSame(none, { taken: 0, waitMs: 698, blocked: false });
  pass(none.waitMs);
  t.equal((await b.take('key', 'poll', 9, NOBODY)).taken, 1);
});

t.test('a call that one gives back another may make', async (t) => {
  const { a, b, store } = await replicas(t);
  t.equal((await a.take('key', 'submit', 10, NOBODY)).taken, 10);
  await a.giveBack('key', 4);
  t.equal((await b.take('key', 'submit', 10, NOBODY)).taken, 4);
  const { revision } = await store.document(DOCUMENT);
  await b.giveBack('key', 0);
  t.equal((await store.document(DOCUMENT)).revision, revision, 'nothing to give back is not written');
});

t.test('a pause is as long as was asked for, however late the store was heard', async (t) => {
  const clocked = await clockedStore(t);
  const ways = { thereMs: 40, backMs: 50 };
  const limits = new Limits(far(clocked, ways), CEILING, () => 1);
  await limits.refresh();
  Object.assign(ways, { thereMs: 0, backMs: 0 });
  await report(limits, { kind: 'rate-limited', retryAfterMs: 2_000 });
  clocked.pass(1_999);
  t.match(await limits.take('key', 'submit', 1, NOBODY), { taken: 0 });
  clocked.pass(1 + 40 + 50);
  t.match(await limits.take('key', 'submit', 1, NOBODY), { taken: 1 });
});

t.test('a turn counts for all: four submits of one, then the look of the other', async (t) => {
  const { a, b } = await replicas(t);
  const both = { submitsWait: true, pollsWait: true };
  t.equal((await a.take('key', 'submit', 3, both)).taken, 3);
  t.equal((await b.take('key', 'submit', 3, both)).taken, 1);
  t.equal((await b.take('key', 'submit', 3, both)).taken, 0);
  t.equal((await b.take('key', 'poll', 3, both)).taken, 1);
});

t.test('after five failures in a row, whoever met them, nobody calls', async (t) => {
  const { a, b } = await replicas(t);
  for (const limits of [a, b, a, b]) await report(limits, 'failed');
  await report(a, OK);
  for (const limits of [a, b, a, b]) await report(limits, 'failed');
  t.equal((await b.take('key', 'poll', 1, NOBODY)).taken, 1, 'not yet: one in between was good');
  t.equal(a.isOpen, false);
  t.equal(a.nextProbeInMs(), null);

  await report(a, 'failed');
  for (const limits of [a, b]) {
    for (const kind of ['submit', 'poll'] as const) {
      const got = await limits.take('key', kind, 1, NOBODY);
      t.strictSame(got, { taken: 0, waitMs: 2_000, blocked: true });
    }
    t.equal(limits.isOpen, true);
  }
});

t.test('what another learned is known after half a second, also where nothing is changed', async (t) => {
  const { b, pass } = await broken(t);
  t.equal(b.isOpen, false, 'the fifth was not its own');
  pass(500);
  await b.refresh();
  t.equal(b.isOpen, true);
});

t.test('one probe for all, once it is due', async (t) => {
  const { a, b, pass } = await broken(t);
  t.strictSame(await Promise.all([a.beginProbe(), b.beginProbe()]), [false, false], 'it is not');
  pass(2_000);
  const got = await Promise.all([a.beginProbe(), b.beginProbe(), a.beginProbe(), b.beginProbe()]);
  t.equal(got.filter(Boolean).length, 1);
  t.equal((await a.take('key', 'poll', 1, NOBODY)).taken, 0, 'and no call besides');
  await b.endProbe(true);
  t.equal((await b.take('key', 'poll', 1, NOBODY)).taken, 1);
  pass(500);
  t.equal((await a.take('key', 'poll', 1, NOBODY)).taken, 1);
  t.equal(await a.beginProbe(), false);
});

t.test('a bad probe has the next one wait longer; one that nobody ended is given up', async (t) => {
  const { a, b, pass } = await broken(t);
  pass(2_000);
  t.equal(await a.beginProbe(), true);
  await a.endProbe(false);
  pass(3_000);
  t.equal(await b.beginProbe(), false);
  pass(1_000);
  t.equal(await b.beginProbe(), true);
  pass(19_000);
  t.equal(await a.beginProbe(), false, 'it has 20 seconds');
  pass(1_000);
  t.equal(await a.beginProbe(), true);
});

t.test('what one learns of a key the other goes by', async (t) => {
  const { a, b, pass } = await replicas(t);
  const known = (limits: Limits, key: string) => [limits.callsPerMinute(key), limits.slots(key)];
  t.strictSame(known(b, 'key'), [100, 3]);
  await a.report('key', { kind: 'concurrency', retryAfterMs: null, heldByOthers: 1 }, SILENT, null);
  await a.report('key', OK, { ...SILENT, limit: 50 }, null);
  t.strictSame(known(a, 'key'), [50, 1]);
  pass(500);
  await b.refresh();
  t.strictSame(known(b, 'key'), [50, 1]);
  t.strictSame(known(b, 'other'), [100, 3]);
  t.equal((await b.take('key', 'submit', 1, NOBODY)).blocked, false, 'submits pause: that is no fault');
  t.equal((await b.take('key', 'poll', 99, NOBODY)).taken, 4);
});

t.test('a 429 to one is a pause for both', async (t) => {
  const { a, b, pass } = await replicas(t);
  await report(a, { kind: 'rate-limited', retryAfterMs: 7_000 });
  t.strictSame(await b.take('key', 'poll', 1, NOBODY), { taken: 0, waitMs: 7_000, blocked: true });
  const limits = { callsPerMinute: 100, tasks: 3 };
  t.strictSame(b.keyState('key'), { id: 'key', state: 'paused', until: NOW + 7_000, ...limits });
  t.equal(b.isUsable('key'), true);
  pass(7_000);
  t.equal((await b.take('key', 'poll', 1, NOBODY)).taken, 1);
  t.strictSame(b.keyState('key'), { id: 'key', state: 'ok', until: null, ...limits });
});

t.test('a key that was refused rests for both, and no other key does', async (t) => {
  const { a, b, pass } = await replicas(t);
  await report(a, { kind: 'rejected', looks: true });
  t.match(await b.take('key', 'submit', 1, NOBODY), { taken: 0, blocked: true });
  t.equal(b.isUsable('key'), false);
  t.equal(b.keyState('key').state, 'resting');
  t.equal(b.isUsable('other'), true);
  t.equal((await b.take('other', 'submit', 1, NOBODY)).taken, 1);
  t.equal(b.isOpen, false, 'Modellix answered: it is not away');
  pass(30_000);
  t.equal(b.isUsable('key'), true);
});

t.test('how fast the queue drains: a submit of either counts', async (t) => {
  const { a, b, pass } = await replicas(t);
  t.equal(a.startInMs(0), null);
  t.equal(a.roomInMs(), 30_000);
  for (const limits of [a, b, a]) {
    await report(limits, OK, NOW);
    await report(limits, OK);
    pass(10_000);
  }
  t.equal(a.startInMs(5), 55_000, 'one every 10 s, the last one 10 s ago');
  t.equal(a.roomInMs(), 5_000);
});

t.test('an answer that says nothing new is not written', async (t) => {
  const { a, b, store } = await replicas(t);
  await a.take('key', 'poll', 1, NOBODY);
  const { revision } = await store.document(DOCUMENT);
  await report(a, OK);
  await b.report('key', OK, { limit: 100, remaining: 98, resetInMs: 50_000 }, null);
  t.equal((await store.document(DOCUMENT)).revision, revision);
});

t.test('what is written in another form gives way to what is configured', async (t) => {
  const open = '"breaker":{"state":"open","opened":1,"probeAt":9e15}';
  for (const text of [`{${open},"keys":{}}`, `{${open},"drain":{}}`, '{"keys":{},"drain":{}}', 'null', '7']) {
    const { store } = await clockedStore(t);
    await store.swap(DOCUMENT, 0, text);
    const limits = new Limits(store, CEILING, () => 0);
    await limits.refresh();
    t.equal(limits.isOpen, false, text);
    t.equal((await limits.take('key', 'poll', 99, NOBODY)).taken, 9, text);
    await store.close();
  }
});

t.test('without the store no call is to be had', async (t) => {
  const { a, store } = await replicas(t);
  await store.close();
  await t.rejects(a.take('key', 'poll', 1, NOBODY), StoreUnavailableError);
});
