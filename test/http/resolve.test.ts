import t from 'tap';
import { type RunningApp, startApp } from '../support/app.js';
import { createAvatar, readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';

const resolve = ({ url }: RunningApp, id: string, body: unknown) =>
  fetch(`${url}/avatars/${id}/resolve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** An avatar whose task was made and whose answer was lost. */
async function doubtful(app: RunningApp) {
  app.simulator.inject({ on: 'submit', when: 'after', do: { reset: 'head' } });
  const avatar = await createAvatar(app.url);
  const taskId = app.simulator.ledger().at(-1)?.taskId ?? '';
  return { avatar, taskId };
}

t.test('unconfirmed says what is known and what to do, and is counted', async (t) => {
  const app = await startApp(t);
  const { avatar } = await doubtful(app);
  t.match(avatar, {
    status: 'unconfirmed',
    task_id: null,
    error: { type: /:outcome-unknown$/, upstream_status: null },
  });
  t.match(avatar.error?.detail, /may or may not have been made.*not sent again.*Modellix console/);
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  t.match(metrics, /avatar_gateway_avatars_ended_total\{status="unconfirmed"\} 1/);
  t.match(metrics, /avatar_gateway_submits_total\{outcome="unknown"\} 1/);
});

t.test('with the task that was found it goes on to its video', async (t) => {
  const app = await startApp(t);
  const { avatar, taskId } = await doubtful(app);
  const response = await resolve(app, avatar.id, { task_id: taskId });
  t.equal(response.status, 200);
  t.match(await response.json(), { status: 'pending', task_id: taskId, error: null, completed_at: null });
  app.simulator.settle(taskId, { end: 'success' });
  await until('succeeded', async () =>
    (await readAvatar(app.url, avatar.id)).status === 'succeeded' ? true : null,
  );
  t.equal(app.simulator.calls('submit').length, 1);
});

t.test('never made: it fails, and nothing is sent', async (t) => {
  const app = await startApp(t);
  const { avatar } = await doubtful(app);
  t.match(await (await resolve(app, avatar.id, { made: false })).json(), {
    status: 'failed',
    error: { type: /:not-made$/ },
  });
  t.equal(app.simulator.calls('submit').length, 1);
});

t.test('what cannot be resolved, and how it cannot', async (t) => {
  const app = await startApp(t);
  const { avatar, taskId } = await doubtful(app);
  const other = await createAvatar(app.url);
  const cases: [string, unknown, number, RegExp][] = [
    [other.id, { made: false }, 409, /:not-unconfirmed$/],
    ['av_unknown', { made: false }, 404, /:not-found$/],
    [avatar.id, {}, 422, /:validation$/],
    [avatar.id, { made: false, task_id: taskId }, 422, /:validation$/],
    [avatar.id, { made: true }, 422, /:validation$/],
    [avatar.id, { task_id: '' }, 422, /:validation$/],
    [avatar.id, { task_id: 7 }, 422, /:validation$/],
    [avatar.id, { task_id: other.task_id }, 409, /:task-taken$/],
  ];
  for (const [id, body, status, type] of cases) {
    const response = await resolve(app, id, body);
    t.equal(response.status, status, JSON.stringify(body));
    t.match(await response.json(), { type });
  }
  t.equal((await readAvatar(app.url, avatar.id)).status, 'unconfirmed');
});
