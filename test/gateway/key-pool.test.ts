/** Several keys, three replicas, one Redis. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ApiKey } from '../../src/modellix/api-key.js';
import { tempDir } from '../e2e/support.js';
import { type Replicas, startReplicas } from '../faults/replicas.js';
import { isPaidOnce, Subject } from '../faults/subject.js';
import { isReady } from '../faults/world.js';
import type { AppOverrides } from '../support/app.js';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';

t.setTimeout(120_000);

const HOUR = 3_600_000;
const ONE = 'mx-key-one';
const TWO = 'mx-key-two';

/** Each key has an account of its own at the vendor, with room for two tasks. */
function startPool(t: Test, keys: readonly string[], overrides: AppOverrides = {}): Promise<Replicas> {
  const known = { [ONE]: { team: 'one', valid: true }, [TWO]: { team: 'two', valid: true } };
  return startReplicas(t, 'redis', {
    limits: { tasks: 2 },
    ...overrides,
    modellix: { keys, ...overrides.modellix },
    gateway: { queueTimeoutMs: HOUR, taskTimeoutMs: HOUR / 2 },
    simulator: {
      settings: { keys: known, taskMs: { min: HOUR, max: HOUR }, callsPerMinute: 1_000_000, concurrency: 2 },
    },
  });
}

const keyOf = (subject: Subject) => subject.tasks()[0]?.key;

t.test('each key has slots of its own, and a task stays with its key', async (t) => {
  const app = await startPool(t, [ONE, TWO]);
  const { simulator } = app;
  const subjects = await app.post(6);
  await until('all slots are taken', async () => simulator.ledger().length === 4 || null);
  const standings = await app.standings();
  for (const { keys, queued } of standings) {
    t.same(
      keys.map(({ unfinished_tasks: held }) => held),
      [2, 2],
    );
    t.equal(queued, 2);
  }
  for (const subject of subjects.filter((each) => each.tasks().length > 0)) await isPaidOnce(t, subject);
  for (const subject of subjects) await isPaidOnce(t, subject);
  const keys = new Map(simulator.ledger().map(({ taskId, key }) => [taskId, key]));
  for (const { taskId, key } of simulator.calls('query')) t.equal(key, keys.get(String(taskId)));
  const { calls, tasks, teams } = simulator.over();
  t.same([calls, tasks, teams.one?.peak, teams.two?.peak], [0, 0, 2, 2]);
});

t.test('each key has calls of its own: one pauses, the other goes on', async (t) => {
  const app = await startPool(t, [ONE, TWO]);
  const subjects = await app.post(4);
  await until('all slots are taken', async () => app.simulator.ledger().length === 4 || null);
  const paused = subjects.filter((subject) => keyOf(subject) === ONE);
  const others = subjects.filter((subject) => keyOf(subject) === TWO);
  const headers = { 'retry-after': '600' };
  app.simulator.inject({ on: 'query', key: ONE, do: { status: 429, headers } });
  await until('every replica knows', async () => {
    const states = (await app.standings()).map(({ keys }) => keys.map(({ state }) => state).join());
    return states.every((state) => state === 'paused,ok') || null;
  });
  const calls = () => app.simulator.calls().filter(({ key }) => key === ONE).length;
  const before = calls();
  for (const subject of [...others, ...(await app.post(2))]) {
    await isPaidOnce(t, subject);
    t.equal(keyOf(subject), TWO);
  }
  t.equal(calls(), before);
  await app.pass(600_000);
  for (const subject of paused) await isPaidOnce(t, subject);
});

t.test(
  'a file of keys that changes is read again, and the tasks of a key that was in it are not lost',
  async (t) => {
    const keyFile = join(await tempDir(t), 'keys');
    await writeFile(keyFile, `${ONE}\n`);
    const app = await startPool(t, [ONE], { modellix: { keyFile, keys: [ONE] } });
    const [early, lost, ...waiting] = await app.postInTurn(4);
    await writeFile(keyFile, `# the next one\n${TWO}\n`);
    const id = new ApiKey(TWO).id;
    await until('every replica has it', async () => {
      const pools = (await app.standings()).map(({ keys }) => keys.map((key) => key.id).join());
      return pools.every((pool) => pool === id) || null;
    });
    app.simulator.settle(String(early?.answer.task_id), { end: 'success' });
    const isSeen = async () => (await early?.read())?.status === 'succeeded' || null;
    await until('it is looked at with its own key', isSeen, { withinMs: 20_000 });
    for (const subject of waiting) {
      await isPaidOnce(t, subject);
      t.equal(keyOf(subject), TWO, 'what waited goes with the new key');
    }
    t.equal(
      app.logged().filter(({ msg }) => msg === 'the file of keys was read again').length,
      app.all.length,
    );

    // Who starts now never had the key, and waits for somebody who has: its task is timed out a day late, with its id kept.
    await Promise.all(app.all.map((each) => each.close()));
    const { store, modellix, gateway, limits } = app.config;
    if (store.kind !== 'redis') throw new Error('it is on Redis');
    const next = await startApp(t, {
      redis: { url: store.url, prefix: store.keyPrefix },
      beside: app.simulator,
      modellix: { ...modellix, keys: [TWO] },
      gateway,
      limits,
    });
    await isReady(next);
    t.match(await lost?.at(next).read(), { status: /pending|processing/, error: null });
    await app.pass(HOUR);
    await isPaidOnce(t, await Subject.post(next));
    t.match(await lost?.read(), { status: /pending|processing/, error: null });
    await app.pass(24 * HOUR);
    const ended = await lost?.becomes('timed_out');
    t.match(ended, { task_id: lost?.tasks()[0]?.taskId, error: { type: /:task-timeout$/ } });
    await isPaidOnce(t, await Subject.post(next));
  },
);
