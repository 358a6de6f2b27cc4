/** What three replicas on one Redis make of the limits of one key. */

import t from 'tap';
import { startReplicas } from '../faults/replicas.js';
import { isPaidOnce } from '../faults/subject.js';
import { until } from '../support/until.js';

t.setTimeout(120_000);

const HOUR = 3_600_000;
const LONG = { min: HOUR, max: HOUR };

t.test(
  'a burst of 60 over three replicas never has more tasks than the key may have, and is all done',
  async (t) => {
    const app = await startReplicas(t, 'redis', {
      limits: { tasks: 3 },
      gateway: { pollMinMs: 20, pollMaxMs: 100 },
      simulator: {
        settings: { taskMs: { min: 100, max: 300 }, callsPerMinute: 1_000_000, concurrency: 3 },
      },
    });
    const subjects = await app.post(60);
    for (const { status } of subjects) t.equal(status, 202);
    await Promise.all(subjects.map((subject) => subject.becomes('succeeded')));
    const { calls, tasks, teams } = app.simulator.over();
    t.same([calls, tasks], [0, 0]);
    t.ok((teams.team?.peak ?? 0) <= 3, `${teams.team?.peak} at most`);
    for (const subject of subjects) t.same([subject.posts().length, subject.tasks().length], [1, 1]);
  },
);

t.test('a burst of 60 over three replicas makes no more calls than the key may make', async (t) => {
  // At 100 calls a minute 10 may leave at once, then one each 0.7 s: 17 in any 5 s, and 3 times that by three that do
  // not share them.
  const windowMs = 5000;
  const app = await startReplicas(t, 'redis', {
    limits: { callsPerMinute: 100 },
    simulator: { settings: { taskMs: LONG, callsPerMinute: 20, windowMs, concurrency: 100 } },
  });
  // The simulator's window is no minute: what it says of it is not what a key may do in one.
  const headers = { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '100' };
  for (const on of ['submit', 'query'] as const) {
    app.simulator.inject({ on, times: 1_000_000, do: { headers } });
  }
  const subjects = await app.post(60);
  for (const { status } of subjects) t.equal(status, 202);
  const calls = () => app.simulator.calls();
  await until('a window is over', async () => {
    const [first] = calls();
    return calls().some(({ at }) => at > (first?.at ?? 0) + windowMs) || null;
  });
  t.ok(calls().length >= 14, `${calls().length} calls: what may be made is made`);
  t.equal(app.simulator.over().calls, 0, 'none of them was refused');
});

t.test('fewer tasks than configured are learned from what Modellix refuses, by all', async (t) => {
  const app = await startReplicas(t, 'redis', {
    limits: { tasks: 5 },
    gateway: { taskTimeoutMs: HOUR, queueTimeoutMs: HOUR },
    simulator: { settings: { taskMs: LONG, callsPerMinute: 1_000_000, concurrency: 2 } },
  });
  const subjects = await app.post(8);
  for (const { answer } of subjects) t.match(answer, { error: null });
  const limits = async () => (await app.standings()).map(({ keys }) => keys[0]?.tasks_limit);
  await until('it is learned', async () => (await limits()).every((tasks) => tasks === 2) || null);
  const refused = app.simulator.over().tasks;
  t.ok(refused >= 1 && refused <= 6, `${refused} submits were refused`);
  for (const subject of subjects) await subject.becomes('pending', 'processing', 'queued');
  // Whichever of them have the slots: they were asked for at once.
  await Promise.all(subjects.map((subject) => isPaidOnce(t, subject)));
  t.equal(app.simulator.over().tasks, refused, 'and kept to');
});

t.test('one caller is served in the order of its requests', async (t) => {
  const app = await startReplicas(t, 'redis', { limits: { tasks: 1 } });
  app.simulator.inject({ on: 'submit', do: { status: 429, headers: { 'retry-after': '1' } } });
  const subjects = await app.postInTurn(9);
  for (const subject of subjects) await isPaidOnce(t, subject);
  const tasks = subjects.flatMap((subject) => subject.tasks().map(({ taskId }) => taskId));
  t.same(
    app.simulator.ledger().map(({ taskId }) => taskId),
    tasks,
    'the one that was refused has its old place',
  );
});
