/** Modellix, or the way to it, in part: what works goes on, and what does not costs little. */

import { createServer } from 'node:net';
import type { Test } from 'tap';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';
import type { StoreName } from './cases.js';
import { startReplicas } from './replicas.js';
import { isPaidOnce, isUnconfirmed, passes, Subject } from './subject.js';
import { startWorld } from './world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PATIENT = { gateway: { taskTimeoutMs: HOUR, queueTimeoutMs: 24 * HOUR, retentionMs: 90 * 24 * HOUR } };
const HTML = '<html>404 page not found</html>';

/** Case 53. */
export async function failsInPart(t: Test, store: StoreName): Promise<void> {
  const app = await startReplicas(t, store, PATIENT);
  const { simulator } = app;
  const running = await app.post(3);
  for (const subject of running) await subject.becomes('pending', 'processing');

  const fault = simulator.inject({ on: 'submit', times: 1_000_000, do: { status: 500 } });
  const subjects = await app.post(40);
  for (const { status } of subjects) t.equal(status, 202);
  const lost = () => simulator.calls('submit').filter(({ fault: of }) => of === fault.id);
  await until(
    'every replica knows',
    async () => (await app.standings()).every(({ breaker }) => breaker === 'open') || null,
  );
  const atOnce = lost().length;
  t.ok(atOnce <= 5 + 3 * app.all.length, `${atOnce} were lost before it was noticed`);
  await until('two more were tried', async () => lost().length >= atOnce + 2 || null);
  const [first, second] = lost().slice(-2);
  const gapMs = (second?.at ?? 0) - (first?.at ?? 0);
  t.ok(gapMs >= 2_500, `one at a time, and later each time: ${gapMs} ms`);
  for (const subject of running) await isPaidOnce(t, subject);

  fault.remove();
  const counts = { lost: 0, made: 0 };
  for (const subject of subjects) {
    await subject.becomes('unconfirmed', 'pending', 'processing');
    if ((await subject.read()).status === 'unconfirmed') {
      await isUnconfirmed(t, subject, /^Modellix answered 500/);
      counts.lost += 1;
    } else {
      await isPaidOnce(t, subject);
      t.equal(subject.posts().length, 1);
      counts.made += 1;
    }
  }
  t.same(counts, { lost: lost().length, made: subjects.length - lost().length });

  // The other way round.
  const polls = simulator.inject({ on: 'query', times: 1_000_000, do: { status: 500 } });
  const made = await app.post(2 * app.all.length);
  for (const subject of made) await subject.becomes('pending', 'processing');
  polls.remove();
  for (const subject of made) await isPaidOnce(t, subject);
}

/** Case 54. */
export async function hasNoWayOut(t: Test): Promise<void> {
  const app = await startReplicas(t, 'redis', PATIENT);
  const { store } = app.config;
  const redis = store.kind === 'redis' ? { url: store.url, prefix: store.keyPrefix } : undefined;
  const cutOff = await startApp(t, {
    ...PATIENT,
    ...(redis && { redis }),
    beside: app.simulator,
    modellix: { baseUrl: `http://127.0.0.1:${await unusedPort()}` },
  });
  const breakerOf = async ({ url }: { url: string }) =>
    ((await (await fetch(`${url}/readyz`)).json()) as { breaker: string }).breaker;
  const breakers = new Set<string>();
  for (let round = 0; round < 6; round++) {
    const subjects = [await Subject.post({ ...cutOff, simulator: app.simulator }), ...(await app.post(3))];
    for (const subject of subjects) await isPaidOnce(t, subject);
    for (const replica of app.all) breakers.add(await breakerOf(replica));
  }
  await until('it knows itself', async () => (await breakerOf(cutOff)) === 'open' || null);
  t.same([...breakers], ['closed'], 'no other one was held up');
}

/** Case 55. */
export async function refusesOneTask(t: Test, store: StoreName): Promise<void> {
  const app = await startReplicas(t, store, PATIENT);
  const { simulator } = app;
  const bystander = await Subject.post(app);
  const answers = [401, 403, 404].flatMap((status) => [
    { status, body: HTML },
    ...(status === 404
      ? []
      : [{ status, body: { code: status, message: 'Forbidden: not yours', data: {} } }]),
  ]);
  for (const answer of answers) {
    const subject = await Subject.post(app);
    const { task_id } = await subject.becomes('pending', 'processing');
    await app.pass(2 * MINUTE);
    const fault = simulator.inject({ on: 'query', task: String(task_id), times: 3, do: answer });
    await until(`it was polled again: ${JSON.stringify(answer)}`, async () => fault.count >= 3 || null);
    for (const { keys } of await app.standings()) t.match(keys, [{ state: 'ok' }], JSON.stringify(answer));
    await isPaidOnce(t, subject);
  }
  await isPaidOnce(t, bystander);
}

/** Case 56. */
export async function lacksTheKey(t: Test): Promise<void> {
  const app = await startWorld(t, 'redis', PATIENT);
  const { store } = app.config;
  const redis = store.kind === 'redis' ? { url: store.url, prefix: store.keyPrefix } : undefined;
  const subject = await Subject.post(app);
  const { task_id } = await subject.becomes('pending', 'processing');
  const keyless = { ...PATIENT, ...(redis && { redis }), beside: app.simulator };
  for (let replica = 0; replica < 3; replica++)
    await startApp(t, { ...keyless, modellix: { keys: ['another'] } });
  const polls = () => app.simulator.calls('query').filter(({ taskId }) => taskId === task_id).length;
  const before = polls();
  await until('it is polled as often as before', async () => polls() > before + 40 || null, {
    withinMs: 30_000,
  });

  // Nor is it ended by one that cannot poll, while the one that can is held up.
  const held = app.simulator.inject({ on: 'query', when: 'after', do: { hold: true } });
  await held.met;
  app.simulator.settle(String(task_id), { end: 'success' });
  await app.pass(HOUR + MINUTE);
  await until('the lease of that one is over', async () => polls() > before + 41 || null);
  held.release();
  t.match(await subject.becomes('succeeded', 'timed_out'), { status: 'succeeded' });
}

/** Case 57. */
export async function isAwayBeyondDeadline(t: Test, store: StoreName): Promise<void> {
  const app = await startReplicas(t, store, PATIENT);
  const { simulator } = app;
  const [subject, never] = [await Subject.post(app), await Subject.post(app)];
  const tasks = [subject, never].map(({ answer }) => String(answer.task_id));
  const faults = (['query', 'account'] as const).map((on) =>
    simulator.inject({ on, times: 1_000_000, do: { status: 503 } }),
  );
  await until(
    'every replica leaves it alone',
    async () => (await app.standings()).every(({ breaker }) => breaker === 'open') || null,
  );
  simulator.settle(String(tasks[0]), { end: 'success' });
  simulator.settle(String(tasks[1]), { end: 'never' });
  await app.pass(HOUR + MINUTE);
  await simulator.nextEnd('account');
  await simulator.nextEnd('account');
  for (const { id } of [subject, never]) {
    t.match(await (await fetch(`${app.url}/avatars/${id}`)).json(), { status: /pending|processing/ });
  }
  for (const fault of faults) fault.remove();
  t.match(await subject.becomes('succeeded', 'timed_out'), { status: 'succeeded', task_id: tasks[0] });
  t.match(await never.becomes('timed_out'), { task_id: tasks[1] });

  simulator.settle(String(tasks[1]), { end: 'success' });
  const response = await fetch(`${app.url}/avatars/${never.id}/resolve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task_id: tasks[1] }),
  });
  t.equal(response.status, 200);
  t.match(await never.becomes('succeeded'), { task_id: tasks[1], error: null });
  for (const each of [subject, never]) t.same([each.posts().length, each.tasks().length], [1, 1]);
  await passes(app);
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
