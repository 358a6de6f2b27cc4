/** The simulator pushes as Modellix is thought to: when a task has ended, at least once, until it is acknowledged. */

import t, { type Test } from 'tap';
import { hold, startReceiver, status } from '../support/receiver.js';
import { URLS } from '../support/requests.js';
import { until } from '../support/until.js';
import { DEFAULT_KEY, type SettingsPatch, SUBMIT_PATHS, startSimulator } from './simulator.js';

const WEBHOOK = 'https://gateway.example/modellix/token-A';

async function stage(t: Test, pushes: SettingsPatch['pushes'] = {}) {
  const receiver = await startReceiver(t);
  const simulator = await startSimulator({
    settings: {
      taskMs: { min: 3_600_000, max: 3_600_000 },
      pushes: { origins: [receiver.url], retryMs: 20, ...pushes },
    },
  });
  t.teardown(() => simulator.close());
  const submit = (webhook: string) =>
    fetch(simulator.url + SUBMIT_PATHS[0], {
      method: 'POST',
      headers: {
        authorization: `Bearer ${DEFAULT_KEY}`,
        'content-type': 'application/json',
        'x-webhook-url': webhook,
      },
      body: JSON.stringify(URLS),
    });
  const ended = async (end: 'success' | 'failed') => {
    const { data } = (await (await submit(WEBHOOK)).json()) as { data: { task_id: string } };
    simulator.settle(data.task_id, { end });
    return data.task_id;
  };
  return { receiver, simulator, submit, ended };
}

t.test('a push has the answer to a query for a body, and says what it is about', async (t) => {
  const { receiver, simulator, ended } = await stage(t);
  for (const [at, [end, event]] of (
    [
      ['success', 'succeeded'],
      ['failed', 'failed'],
    ] as const
  ).entries()) {
    const taskId = await ended(end);
    const { path, method, headers, body } = await receiver.call(at);
    t.match({ path, method }, { path: '/modellix/token-A', method: 'POST' });
    t.match(headers, {
      'x-modellix-event': `prediction.task.${event}`,
      'x-modellix-task-id': taskId,
      'x-modellix-delivery-id': /^[0-9a-f-]{36}$/,
      'x-modellix-retry-count': '0',
    });
    const query = await fetch(`${simulator.url}/api/v1/tasks/${taskId}`, {
      headers: { authorization: `Bearer ${DEFAULT_KEY}` },
    });
    const { data } = JSON.parse(body) as { data: { status: string } };
    t.match(await query.json(), { code: 0, data: { status: data.status, task_id: taskId } });
  }
});

t.test('it is sent again until it is acknowledged', async (t) => {
  const { receiver, simulator, ended } = await stage(t);
  const answers = [status(503), status(429), hold, status(204)];
  receiver.answer = (response, call) => {
    const answer = answers.shift() ?? status(500);
    answer(response, call);
    if (answer === hold) response.destroy();
  };
  await ended('success');
  const calls = await Promise.all([0, 1, 2, 3].map((at) => receiver.call(at)));
  t.strictSame(
    calls.map(({ headers }) => headers['x-modellix-retry-count']),
    ['0', '1', '2', '3'],
  );
  t.equal(new Set(calls.map(({ headers }) => headers['x-modellix-delivery-id'])).size, 1);
  await until('it is acknowledged', async () => (simulator.pushes().at(-1)?.status === 204 ? true : null));
  t.strictSame(
    simulator.pushes().map(({ status }) => status),
    [503, 429, null, 204],
  );
});

t.test('a refusal is for good', async (t) => {
  const { receiver, simulator, ended } = await stage(t);
  receiver.answer = status(404);
  const answered = simulator.nextPush();
  await ended('success');
  t.match(await answered, { status: 404, retry: 0 });
});

t.test('twice, forged, never', async (t) => {
  const twice = await stage(t, { twiceShare: 1, forgedShare: 1 });
  await twice.ended('success');
  const calls = await Promise.all([0, 1, 2].map((at) => twice.receiver.call(at)));
  t.strictSame(calls.map(({ path }) => path).sort(), [
    '/modellix/token-A',
    '/modellix/token-A',
    '/modellix/token-Q',
  ]);
  const never = await stage(t, { neverShare: 1 });
  const taskId = await never.ended('success');
  never.simulator.push(taskId);
  t.match(await never.receiver.call(0), { path: '/modellix/token-A' }, 'unless it is told to');
  t.equal(never.simulator.pushes().length, 1);
});

t.test('the control routes push and show what was pushed', async (t) => {
  const { receiver, simulator, ended } = await stage(t, { neverShare: 1 });
  const taskId = await ended('success');
  const control = (path: string, method = 'GET') => fetch(`${simulator.url}/_control/${path}`, { method });
  t.equal((await control(`pushes/${taskId}`, 'POST')).status, 202);
  await receiver.call(0);
  t.equal((await control(`pushes/${taskId}?forged=true`, 'POST')).status, 202);
  t.match(await receiver.call(1), { path: '/modellix/token-Q' });
  t.equal((await control('pushes/task-of-nobody', 'POST')).status, 400);
  t.match(await (await control('pushes')).json(), {
    pushes: [
      { taskId, forged: false },
      { taskId, forged: true },
    ],
  });
});

t.test('nothing but https is pushed to', async (t) => {
  const { simulator, submit } = await stage(t);
  for (const url of ['http://gateway.example/', 'gateway.example', 'ftp://gateway.example/', '']) {
    t.match(await (await submit(url)).json(), { code: 400, message: /X-Webhook-URL must be/ }, url);
  }
  t.strictSame(simulator.ledger(), []);
});
