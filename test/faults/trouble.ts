/** Looks that come to nothing: one task's trouble is its own, everybody's is Modellix's. */

import type { Test } from 'tap';
import type { FaultAction } from '../simulator/simulator.js';
import { until } from '../support/until.js';
import type { StoreName } from './cases.js';
import { type Replicas, startReplicas } from './replicas.js';
import { isPaidOnce, Subject } from './subject.js';

const HOUR = 3_600_000;

/** Case 12. */
export async function growsPauses(t: Test, store: StoreName): Promise<void> {
  const app = await startReplicas(t, store, {
    modellix: { queryTimeoutMs: 300 },
    gateway: { taskTimeoutMs: HOUR / 2, queueTimeoutMs: HOUR },
  });
  await opensBreaker(t, app);
  await triesUntilDeadline(t, app);
}

/** Each answer to looks at one task is bad, while those at another are good, so that Modellix is not taken to be down. */
async function triesUntilDeadline(t: Test, app: Replicas): Promise<void> {
  const { simulator } = app;
  const bystander = await Subject.post(app);
  const bad: readonly FaultAction[] = [
    { status: 500 },
    { status: 503 },
    { hang: 'head' },
    { reset: 'mid-body' },
    { body: '<html>all is well</html>' },
    { patch: { data: { status: null } } },
  ];
  const troubled = await Promise.all(
    bad.map(async (action) => {
      const subject = await Subject.post(app);
      // While polls wait, too, the fifth of these submits has to.
      const task = String((await subject.becomes('pending', 'processing')).task_id);
      const fault = simulator.inject({ on: 'query', task, times: 1_000_000, do: action });
      const looks = () => simulator.calls('query').filter(({ fault: of }) => of === fault.id);
      return { subject, task, fault, looks, action: JSON.stringify(action) };
    }),
  );
  for (const { looks, action } of troubled) {
    await until(`three looks in vain: ${action}`, async () => looks().length >= 3 || null);
    const gaps = looks().flatMap(({ at }, look, all) => (look === 0 ? [] : [at - (all[look - 1]?.at ?? 0)]));
    for (const [growth, gap] of gaps.slice(0, 2).entries()) {
      t.ok(gap >= 500 * 2 ** growth, `${action}: ${gaps} ms`);
    }
  }
  await isPaidOnce(t, bystander);
  const before = troubled.map(({ looks }) => looks().length);
  await app.pass(HOUR / 2);
  const ends = troubled.map(async ({ subject, task, fault, looks, action }, at) => {
    await until(
      'it is asked after beyond the deadline',
      async () => looks().length > (before[at] ?? 0) || null,
    );
    t.match(await subject.read(), { status: /pending|processing/, error: null }, action);
    t.ok(looks().length <= 7, `${looks().length} looks`);
    fault.remove();
    const { error } = await subject.becomes('timed_out');
    t.match(error, { type: /:task-timeout$/ }, action);
    t.match(await subject.read(), { task_id: task, video: null });
    t.same([subject.posts().length, subject.tasks().length], [1, 1]);
  });
  await Promise.all(ends);
}

/** Modellix fails whoever asks. */
async function opensBreaker(t: Test, app: Replicas): Promise<void> {
  const { simulator } = app;
  const running = await app.post(5);
  const looks = simulator.inject({ on: 'query', times: 1_000_000, do: { status: 503 } });
  const probes = simulator.inject({ on: 'account', times: 1_000_000, do: { status: 503 } });
  await until(
    'every replica leaves it alone',
    async () => (await app.standings()).every(({ breaker }) => breaker === 'open') || null,
  );
  const before = simulator.calls().length;
  const waiting = await app.post(2 * app.all.length);
  for (const { answer } of waiting) t.match(answer, { status: 'queued', error: null });
  await simulator.nextEnd('account');
  looks.remove();
  probes.remove();
  for (const subject of [...waiting, ...running]) await isPaidOnce(t, subject);

  const calls = simulator.calls().slice(before);
  const good = calls.findIndex(({ kind, status }) => kind === 'account' && status === 200);
  const open = calls.slice(0, good + 1);
  t.same(
    new Set(open.map(({ kind, method }) => `${method} ${kind}`)),
    new Set(['GET account']),
    'free reads only',
  );
  t.equal(open.length, 2, 'of all replicas one probes, twice');
  const [one, two] = open;
  t.ok((two?.at ?? 0) - (one?.endedAt ?? 0) >= 3000, 'the pause grows');
  for (const subject of waiting) t.equal(subject.posts().length, 1);
  for (const standing of await app.standings()) t.equal(standing.breaker, 'closed');
}
