/** Tasks that cannot be polled until long after their deadline: what becomes of them, and of their slots. */

import t from 'tap';
import { isPaidOnce, Subject } from '../faults/subject.js';
import { startWorld } from '../faults/world.js';
import { DEFAULT_KEY } from '../simulator/simulator.js';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';

t.setTimeout(300_000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PATIENT = { taskTimeoutMs: HOUR, queueTimeoutMs: 99 * HOUR, retentionMs: 999 * HOUR };

for (const store of ['embedded', 'redis'] as const) {
  t.test(
    `[A6] ${store}: without its key a task is given up a day after its deadline, and no sooner`,
    async (t) => {
      const app = await startWorld(t, store, {
        gateway: PATIENT,
        simulator: {
          settings: {
            keys: { [DEFAULT_KEY]: { team: 'one', valid: true }, another: { team: 'two', valid: true } },
            taskMs: { min: 999 * HOUR, max: 999 * HOUR },
            callsPerMinute: 1_000_000,
            concurrency: 1_000_000,
          },
        },
      });
      const subject = await Subject.post(app);
      const { task_id } = await subject.becomes('pending', 'processing');
      app.simulator.settle(String(task_id), { end: 'never' });
      await app.close();
      const { config } = app;
      const redis = config.store.kind === 'redis' && {
        url: config.store.url,
        prefix: config.store.keyPrefix,
      };
      const keyless = await startApp(t, {
        gateway: PATIENT,
        modellix: { keys: ['another'] },
        beside: app.simulator,
        ...(redis ? { redis } : { dataDir: config.dataDir }),
      });
      subject.at(keyless);
      await app.pass(24 * HOUR);
      const bystander = await Subject.post(keyless);
      await isPaidOnce(t, bystander);
      t.match(await subject.read(), { status: /pending|processing/ });
      await app.pass(1.5 * HOUR);
      t.match(await subject.becomes('timed_out'), { task_id });
    },
  );

  t.test(`[A6] ${store}: beyond the deadline a task that cannot be polled holds no slot`, async (t) => {
    const app = await startWorld(t, store, { gateway: PATIENT, limits: { tasks: 1 } });
    const { simulator } = app;
    const subject = await Subject.post(app);
    const { task_id } = await subject.becomes('pending', 'processing');
    const task = String(task_id);
    simulator.settle(task, { end: 'never' });
    const fault = simulator.inject({
      on: 'query',
      task,
      times: 1_000_000,
      do: { status: 403, body: '<html>' },
    });
    const next = await Subject.post(app);
    t.match(next.answer, { status: 'queued' });
    const polls = fault.count;
    await until('it was polled in vain', async () => fault.count > polls || null);
    t.match(await next.read(), { status: 'queued' }, 'before the deadline it holds the only one');

    await app.pass(HOUR + MINUTE);
    await isPaidOnce(t, next);
    t.match(await subject.read(), { status: /pending|processing/ });
    simulator.settle(task, { end: 'success' });
    fault.remove();
    t.match(await subject.becomes('succeeded', 'timed_out'), { status: 'succeeded' });
  });

  t.test(`[B5] ${store}: a task is lost when Modellix said so twice, half a minute apart`, async (t) => {
    const app = await startWorld(t, store, { gateway: PATIENT });
    const { simulator } = app;
    const subject = await Subject.post(app);
    const { task_id } = await subject.becomes('pending', 'processing');
    const body = { code: 404, message: 'Task not found', data: {} };
    const missing = { on: 'query' as const, task: String(task_id), do: { status: 404, body } };
    await app.pass(2 * MINUTE);
    const once = simulator.inject({ ...missing, times: 3 });
    await until('it was missing three times', async () => once.count === 3 || null);
    t.match(await subject.read(), { status: /pending|processing/ });
    const found = () =>
      simulator.calls('query').filter(({ taskId, status }) => taskId === task_id && status === 200).length;
    /** Polled twice: what the first came to is written then, and the second was begun later. */
    const isFoundAgain = async () => {
      const before = found();
      await until('and was there again', async () => found() > before + 1 || null);
    };
    await isFoundAgain();
    await app.pass(MINUTE);
    await isFoundAgain();
    const again = simulator.inject({ ...missing, times: 1_000_000 });
    await until('it is missing again', async () => again.count >= 2 || null);
    t.match(await subject.read(), { status: /pending|processing/ }, 'what was said before does not count');
    await app.pass(31_000);
    t.match(await subject.becomes('failed'), { error: { type: /:task-lost$/, upstream_status: 404 } });
  });
}
