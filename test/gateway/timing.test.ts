/** When to poll: replicas learn from each other, and price polls by the tasks that there are. */

import t, { type Test } from 'tap';
import type { Avatar, Mode } from '../../src/domain/avatar.js';
import { distributionOf, mixOf, newDurations, observe } from '../../src/domain/limits/durations.js';
import { nextPollMs, priceOf } from '../../src/domain/schedule.js';
import { Timing, type TimingSettings } from '../../src/gateway/limits/timing.js';
import type { Outlook, Store } from '../../src/store/store.js';
import { avatarOf } from '../store/fixtures.js';
import { clockedStore } from './clocked.js';

const NOW = 1_790_000_000_000;
const SETTINGS = { pollMinMs: 1_000, pollMaxMs: 15_000, longPollMs: 0, netMs: null };
const DOCUMENT = 'durations-2';

function replica(store: Store, settings: TimingSettings = SETTINGS): Timing {
  return new Timing(store, settings, () => 0.5);
}

/** What is written down of how long tasks take. */
async function durationsIn(store: Store): Promise<unknown> {
  const { durations } = JSON.parse((await store.document(DOCUMENT)).value ?? '') as { durations: unknown };
  return durations;
}

/** An avatar whose speech takes 7.2 s, submitted now. */
function submitted(mode: Mode, change: Partial<Avatar> = {}): Avatar {
  return avatarOf({ status: 'processing', mode, keyId: 'key', submittedAt: NOW, ...change });
}

/** With so many unfinished tasks for each key. */
function outlook(slots: Readonly<Record<string, number>>): Outlook {
  const keys = Object.entries(slots).map(([id, slots]) => [id, { slots, due: 0, dueInMs: null }] as const);
  return { now: NOW, queued: 0, queuedBytes: 0, dueInMs: null, keys: new Map(keys) };
}

/** Many std tasks that took half a minute, and more pro tasks that took 400 s, as seen by one replica. */
async function learnt(t: Test) {
  const { store, pass } = await clockedStore(t);
  const timing = replica(store);
  let durations = newDurations();
  for (const [mode, ms, times] of [
    ['std', 30_000, 20],
    ['pro', 400_000, 60],
  ] as const) {
    for (let i = 0; i < times; i++) {
      await timing.learn(submitted(mode, { polledAt: NOW + ms - 2_000 }), NOW + ms);
      const span = { fromMs: ms - 2_000, toMs: ms };
      durations = observe(durations, { mode, audioSeconds: 7.2 }, span);
    }
  }
  return { store, pass, timing, durations };
}

t.test('what is learned is written down, and what another replica goes by', async (t) => {
  const { store, pass, timing, durations } = await learnt(t);
  t.strictSame(await durationsIn(store), durations);

  const other = replica(store);
  const price = outlook({ key: 30 });
  for (const each of [timing, other]) each.update(price, () => 100);
  const task = submitted('std');
  t.not(other.nextPollMs(task, 0), timing.nextPollMs(task, 0), 'it knows nothing yet');
  await other.refresh();
  other.update(price, () => 100);
  t.equal(other.nextPollMs(task, 0), timing.nextPollMs(task, 0));

  await other.learn(task, NOW + 60_000);
  pass(500);
  await timing.refresh();
  for (const each of [timing, other]) each.update(price, () => 100);
  t.equal(timing.nextPollMs(task, 25_000), other.nextPollMs(task, 25_000));
});

t.test('polls are priced by the tasks that there are of every kind', async (t) => {
  const { timing, durations } = await learnt(t);
  const [maxMs, minMs] = [SETTINGS.pollMaxMs, SETTINGS.pollMinMs];
  for (const unfinished of [1, 3, 30, 300]) {
    timing.update(outlook({ key: unfinished }), () => 100);
    const load = priceOf({ unfinished, distribution: mixOf(durations), callsPerMinute: 100, maxMs });
    for (const mode of ['std', 'pro'] as const) {
      const of = distributionOf(durations, { mode, audioSeconds: 7.2 });
      const expected = nextPollMs(of, 25_000, { ...load, minMs, maxMs, longPollMs: 0 }, 0.5);
      t.equal(timing.nextPollMs(submitted(mode), 25_000), expected, `${unfinished} ${mode}`);
    }
  }
});

t.test('each key has its own price: its tasks, its calls', async (t) => {
  const { store } = await clockedStore(t);
  const timing = replica(store);
  const calls = new Map([
    ['few', 100],
    ['many', 100],
    ['fast', 1_000],
  ]);
  timing.update(outlook({ few: 3, many: 300, fast: 300 }), (id) => calls.get(id) ?? 0);
  const [few = 0, many = 0, fast = 0] = [...calls.keys()].map((keyId) =>
    timing.nextPollMs(submitted('std', { keyId }), 90_000),
  );
  t.ok(few < fast && fast < many, `${few} < ${fast} < ${many}`);
});

t.test('the first task of a key is not looked at before it can be finished', async (t) => {
  const { store } = await clockedStore(t);
  const timing = replica(store, { ...SETTINGS, pollMaxMs: 60_000 });
  timing.update(outlook({ key: 0 }), () => 100);
  const firstMs = timing.nextPollMs(submitted('std'), 0);
  t.ok(firstMs > 10_000, `${firstMs} ms`);
});

t.test('a poll is held against the bounds, and where Modellix holds it, against that', async (t) => {
  const { store } = await clockedStore(t);
  const pauseMs = (ageMs: number, settings = SETTINGS) => {
    const timing = replica(store, settings);
    timing.update(outlook({ key: 3 }), () => 100);
    return timing.nextPollMs(submitted('std'), ageMs);
  };
  t.equal(pauseMs(0), 15_000);
  t.equal(pauseMs(90_000, { ...SETTINGS, pollMinMs: 5_000 }), 5_000);
  t.ok(pauseMs(60_000) > 1_000);
  t.equal(pauseMs(60_000, { ...SETTINGS, longPollMs: 10_000 }), 1_000);
});

t.test('a task that was never looked at ended at some time since its submit', async (t) => {
  const { store } = await clockedStore(t);
  await replica(store).learn(submitted('std', { polledAt: null }), NOW + 60_000);
  const kind = { mode: 'std', audioSeconds: 7.2 } as const;
  const expected = observe(newDurations(), kind, { fromMs: 0, toMs: 60_000 });
  t.strictSame(await durationsIn(store), expected);
});

t.test('of one that was never submitted nothing is learned', async (t) => {
  const { store } = await clockedStore(t);
  await replica(store).learn(submitted('std', { submittedAt: null }), NOW);
  t.equal((await store.document(DOCUMENT)).value, null);
});

t.test('what is written in another form is not used, and gives way', async (t) => {
  for (const text of ['{}', '[]', '{"durations":{"histograms":{}},"pushes":{}}', 'null']) {
    const { store } = await clockedStore(t);
    await store.swap(DOCUMENT, 0, text);
    const [timing, fresh] = [replica(store), replica(store)];
    await timing.refresh();
    for (const each of [timing, fresh]) each.update(outlook({ key: 30 }), () => 100);
    const task = submitted('std', { polledAt: NOW + 58_000 });
    t.equal(timing.nextPollMs(task, 90_000), fresh.nextPollMs(task, 90_000), text);
    await timing.learn(task, NOW + 60_000);
    t.match((await store.document(DOCUMENT)).value, /"recent":/);
    await store.close();
  }
});

const PUSHED = { ...SETTINGS, netMs: 3_600_000 };
const byPush = { pushedAt: NOW + 60_000 };

t.test('while pushes arrive polls are a net, and where they stop all is as before', async (t) => {
  const { store, pass } = await clockedStore(t);
  const [one, other, unpushed] = [replica(store, PUSHED), replica(store, PUSHED), replica(store)];
  const all = [one, other, unpushed];
  const refreshed = async () => {
    pass(500);
    for (const each of all) {
      await each.refresh();
      each.update(outlook({ key: 3 }), () => 100);
    }
    return all.map((each) => each.nextPollMs(submitted('std'), 30_000) > 60_000);
  };
  t.strictSame(await refreshed(), [false, false, false]);
  t.equal(await one.learn(submitted('std', byPush), NOW + 60_100), null);
  t.strictSame(await refreshed(), [false, false, false], 'one may be chance');
  t.equal(await other.learn(submitted('std', byPush), NOW + 60_100), true);
  t.strictSame(await refreshed(), [true, true, false], 'one that is not pushed polls as ever');
  t.equal(await unpushed.learn(submitted('std'), NOW + 60_000), null, 'and says nothing of pushes');
  t.equal(await one.learn(submitted('std'), NOW + 60_000), null);
  t.strictSame(await refreshed(), [true, true, false]);
  t.equal(await other.learn(submitted('std'), NOW + 60_000), false);
  t.strictSame(await refreshed(), [false, false, false]);
});

t.test('a push says when its task ended, more closely than polls do', async (t) => {
  const { store } = await clockedStore(t);
  await replica(store, PUSHED).learn(submitted('std', byPush), NOW + 90_000);
  const kind = { mode: 'std', audioSeconds: 7.2 } as const;
  const expected = observe(newDurations(), kind, { fromMs: 58_000, toMs: 60_000 });
  t.strictSame(await durationsIn(store), expected);
});
