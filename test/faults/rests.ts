/** Keys that Modellix does not accept, beside one that it does. */

import type { Test } from 'tap';
import { ApiKey } from '../../src/modellix/api-key.js';
import { until } from '../support/until.js';
import type { StoreName } from './cases.js';
import { type Replicas, startReplicas } from './replicas.js';
import { isPaidOnce, type Subject } from './subject.js';

const HOUR = 3_600_000;
const BAD = 'mx-key-that-is-bad';
const GOOD = 'mx-key-that-is-good';
const badId = new ApiKey(BAD).id;

/** Case 7. */
export async function restsKeys(t: Test, store: StoreName): Promise<void> {
  const app = await startReplicas(t, store, {
    modellix: { keys: [BAD, GOOD] },
    gateway: { queueTimeoutMs: HOUR },
    simulator: {
      settings: {
        keys: { [BAD]: { team: 'bad', valid: false }, [GOOD]: { team: 'good', valid: true } },
        taskMs: { min: HOUR, max: HOUR },
        callsPerMinute: 1_000_000,
        concurrency: 1_000_000,
      },
    },
  });
  const { simulator } = app;
  const withBad = () => simulator.calls().filter(({ key }) => key === BAD).length;
  const areDone = async (subjects: readonly Subject[]) => {
    for (const subject of subjects) {
      await isPaidOnce(t, subject);
      t.same(
        subject.tasks().map(({ key }) => key),
        [GOOD],
      );
    }
  };

  // Both ways to be turned away; each time that it comes again the key rests for longer.
  let restMs = 30_000;
  for (const [times, change] of [
    [2, {}],
    [4, { keys: { [BAD]: { team: 'bad', valid: true } }, teams: { bad: { balance: 0 } } }],
  ] as const) {
    simulator.configure(change);
    for (let again = 0; again < times; again++) {
      const before = withBad();
      const subjects = await app.post(2 * app.all.length);
      for (const { answer } of subjects) t.match(answer, { error: null });
      await areDone(subjects);
      t.ok(withBad() > before, 'it was tried');
      await rests(t, app, restMs);
      const soFar = withBad();
      await areDone(await app.post(app.all.length));
      t.equal(withBad(), soFar, 'while it rests it is not');
      await app.pass(restMs);
      await until('no replica takes it to rest', async () => {
        const states = (await app.standings()).map(({ keys: [bad] }) => bad?.state);
        return states.every((state) => state === 'ok') || null;
      });
      restMs = Math.min(2 * restMs, 900_000);
    }
  }
  const warned = app.logged().filter(({ key, level }) => key === badId && Number(level) >= 40);
  t.same(
    warned.map(({ upstreamStatus }) => upstreamStatus),
    [401, 401, 402, 402, 402, 402],
    'each rest is logged',
  );

  // No other key is left.
  simulator.configure({ teams: { good: { balance: 0 } } });
  const [refused] = await app.post(1);
  const words = /^Insufficient balance: .* No task was made: make a new avatar once the balance is topped up/;
  const error = { type: /:arrears$/, detail: words, upstream_status: 402 };
  t.match(await refused?.becomes('failed'), { error, task_id: null });
  const tried = () => refused?.posts().map(({ key }) => key);
  t.same(tried(), [BAD, GOOD], 'once with each');

  // The balance is topped up.
  simulator.configure({ teams: { good: { balance: 1000 }, bad: { balance: 1000 } } });
  await app.pass(HOUR / 4);
  const after = await app.post(2 * app.all.length);
  for (const subject of after) await isPaidOnce(t, subject);
  await until('every replica knows', async () => {
    const states = (await app.standings()).flatMap(({ keys }) => keys.map(({ state }) => state));
    return states.every((state) => state === 'ok') || null;
  });
  t.same(tried(), [BAD, GOOD], 'what has failed is not tried again by itself');
}

/** What every replica says of the bad key. */
async function rests(t: Test, app: Replicas, restMs: number): Promise<void> {
  const keys = await until('every replica knows', async () => {
    const all = (await app.standings()).map(({ keys }) => keys);
    return all.every(([bad]) => bad?.state === 'resting') ? all : null;
  });
  for (const [bad, good] of keys) {
    t.match(
      [bad, good],
      [
        { id: badId, state: 'resting' },
        { state: 'ok', until: null },
      ],
    );
    const leftMs = Date.parse(String(bad?.until)) - Date.now();
    t.ok(leftMs > restMs / 2 && leftMs <= restMs + 1000, `it rests for ${leftMs} of ${restMs} ms`);
  }
  t.equal(await app.metric(`avatar_gateway_key_resting{key="${badId}"}`), app.all.length);
}
