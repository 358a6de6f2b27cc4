/** The field `callback_url`, and the routes about callbacks. */

import t from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { DeliveriesView } from '../../src/http/schemas/deliveries.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { type RunningApp, startApp } from '../support/app.js';
import { foretold } from '../support/openapi.js';
import { hold, startReceiver, status, verified } from '../support/receiver.js';
import { createAvatar, portrait, postJson, readAvatar, speech, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const CALLING = { callbacks: { allowedNetworks: parseNetworks('127.0.0.0/8') } };

const problemOf = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as { type: string; detail: string; errors?: { pointer: string }[] }),
});

/** The avatar once its callback is in that state. */
function told(url: string, id: string, state: string): Promise<AvatarView> {
  return until(`${id} is ${state}`, async () => {
    const avatar = await readAvatar(url, id);
    return avatar.callback?.state === state && avatar.completed_at !== null ? avatar : null;
  });
}

/** A finished avatar whose receiver is told. */
async function finished(app: RunningApp, callback_url: string, more: object = {}): Promise<AvatarView> {
  const { id, task_id } = await createAvatar(app.url, { ...URLS, ...more, callback_url });
  app.simulator.settle(String(task_id), { end: 'success' });
  return until(`${id} is final`, async () => {
    const avatar = await readAvatar(app.url, id);
    return avatar.completed_at === null ? null : avatar;
  });
}

const deliveriesOf = async (app: RunningApp, id: string) =>
  (await (await fetch(`${app.url}/avatars/${id}/deliveries`)).json()) as DeliveriesView;

const redeliver = (app: RunningApp, id: string) =>
  fetch(`${app.url}/avatars/${id}/redeliver`, { method: 'POST' });

t.test('the receiver is told what GET shows, once', async (t) => {
  const app = await startApp(t, CALLING);
  const receiver = await startReceiver(t);
  const url = `${receiver.url}/hook?token=abc`;
  const made = await createAvatar(app.url, { ...URLS, callback_url: url });
  t.same(made.callback, { url, state: 'waiting' });
  const before = await deliveriesOf(app, made.id);
  t.same(before, { url, state: 'waiting', webhook_id: null, next_attempt_at: null, data: [] });
  app.simulator.settle(String(made.task_id), { end: 'success' });
  const avatar = await told(app.url, made.id, 'delivered');
  t.equal(receiver.calls.length, 1);
  const call = await receiver.call(0);
  t.same([call.method, call.path], ['POST', '/hook?token=abc']);
  t.equal(call.headers['webhook-id'], `${made.id}_${Date.parse(String(avatar.completed_at))}`);
  t.equal(call.headers['user-agent'], 'avatar-gateway/0.0.0-test');
  const message = verified(call);
  t.same(message, {
    type: 'avatar.succeeded',
    timestamp: avatar.completed_at,
    data: { ...avatar, callback: { url, state: 'waiting' } },
  });
  foretold(t, call.headers, message);
  const seen = JSON.stringify([call.headers, call.body]);
  for (const secret of [...app.config.modellix.keys, ...app.config.callbacks.secrets]) {
    t.notOk(seen.includes(secret), 'no secret goes out');
  }
  t.match(await deliveriesOf(app, made.id), {
    state: 'delivered',
    webhook_id: call.headers['webhook-id'],
    next_attempt_at: null,
    data: [{ attempt: 1, status: 204, error: null }],
  });
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  t.match(metrics, /avatar_gateway_deliveries_total\{outcome="delivered"\} 1/);
  t.match(metrics, /avatar_gateway_avatars_ended_total\{status="succeeded"\} 1/, 'and it ended once');
});

t.test('every end is told', async (t) => {
  const app = await startApp(t, { ...CALLING, gateway: { taskTimeoutMs: 300 } });
  const receiver = await startReceiver(t);
  const body = { ...URLS, callback_url: receiver.url };
  app.simulator.inject({ on: 'submit', do: { status: 400 } });
  t.equal((await postJson(app.url, body)).status, 422);
  const refused = await receiver.call(0);
  t.match(verified(refused), { type: 'avatar.failed', data: { error: { upstream_status: 400 } } });
  app.simulator.inject({ on: 'submit', when: 'after', do: { reset: 'head' } });
  t.equal((await postJson(app.url, body)).status, 202);
  const doubted = await receiver.call(1);
  const { type, data } = verified(doubted);
  t.equal(type, 'avatar.unconfirmed');

  // Its later end is another event.
  const [task] = app.simulator.ledger();
  const resolved = await fetch(`${app.url}/avatars/${data.id}/resolve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task_id: task?.taskId }),
  });
  t.match(await resolved.json(), { callback: { state: 'waiting' } });
  app.simulator.settle(String(task?.taskId), { end: 'success' });
  const last = await receiver.call(2);
  t.match(verified(last), { type: /^avatar\.(succeeded|timed_out)$/, data: { id: data.id } });
  t.not(last.headers['webhook-id'], doubted.headers['webhook-id']);

  await createAvatar(app.url, body);
  t.match(verified(await receiver.call(3)), { type: 'avatar.timed_out' });
});

t.test('what is doubted holds its slot, told or not', async (t) => {
  const app = await startApp(t, { ...CALLING, limits: { tasks: 1 } });
  const receiver = await startReceiver(t);
  app.simulator.inject({ on: 'submit', when: 'after', do: { reset: 'head' } });
  const { id } = (await (
    await postJson(app.url, { ...URLS, callback_url: receiver.url })
  ).json()) as AvatarView;
  await told(app.url, id, 'delivered');
  t.match(await createAvatar(app.url), { status: 'queued' });
  t.equal((await redeliver(app, id)).status, 202);
  await receiver.call(1);
  const standing = (await (await fetch(`${app.url}/readyz`)).json()) as {
    keys: { unfinished_tasks: number }[];
  };
  t.match(standing.keys, [{ unfinished_tasks: 1 }]);
});

t.test('in a form, and in a check', async (t) => {
  const app = await startApp(t, CALLING);
  const receiver = await startReceiver(t);
  const form = () => {
    const form = new FormData();
    form.set('image', new Blob([portrait]), 'a.jpg');
    form.set('sound_file', new Blob([speech]), 'b.mp3');
    form.set('callback_url', receiver.url);
    return form;
  };
  const checked = await fetch(`${app.url}/avatars/check`, { method: 'POST', body: form() });
  t.equal(checked.status, 200);
  const made = await fetch(`${app.url}/avatars`, { method: 'POST', body: form() });
  t.match(await made.json(), { callback: { url: receiver.url, state: 'waiting' } });
  t.equal(receiver.calls.length, 0);
});

t.test('without secrets nobody is told, and a caller hears what is to be done', async (t) => {
  const app = await startApp(t, { callbacks: { secrets: [] } });
  for (const path of ['/avatars', '/avatars/check']) {
    const response = await fetch(app.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...URLS, callback_url: 'https://example.com/' }),
    });
    t.match(await problemOf(response), {
      status: 422,
      type: /:validation$/,
      detail: /whoever runs it has to set WEBHOOK_SECRETS/,
      errors: [{ pointer: '/callback_url', detail: /WEBHOOK_SECRETS/ }],
    });
  }
  t.match(await createAvatar(app.url), { callback: null });
});

t.test('whose secrets were taken away meanwhile', async (t) => {
  const app = await startApp(t, CALLING);
  const receiver = await startReceiver(t, status(500));
  const { id } = await finished(app, receiver.url);
  await receiver.call(0);
  await app.close();
  const mute = await startApp(t, {
    beside: app.simulator,
    dataDir: app.config.dataDir,
    callbacks: { secrets: [] },
  });
  await until('it is said', async () => {
    const { data } = await deliveriesOf(mute, id);
    return /WEBHOOK_SECRETS/.test(String(data.at(-1)?.error)) || null;
  });
  t.match(await problemOf(await redeliver(mute, id)), { status: 409, type: /:no-callback$/ });
  t.equal(receiver.calls.length, 1);
});

t.test('where it is told belongs to the request that a key names', async (t) => {
  const app = await startApp(t, CALLING);
  const receiver = await startReceiver(t);
  const key = { 'idempotency-key': 'key-1' };
  const body = { ...URLS, callback_url: receiver.url };
  t.equal((await postJson(app.url, body, key)).status, 202);
  t.equal((await postJson(app.url, body, key)).headers.get('idempotent-replayed'), 'true');
  for (const other of [URLS, { ...body, callback_url: `${receiver.url}/other` }]) {
    t.match(await problemOf(await postJson(app.url, other, key)), { type: /:idempotency-key-reused$/ });
  }
});

t.test('told again', async (t) => {
  const app = await startApp(t, CALLING);
  const receiver = await startReceiver(t, status(410));
  const { id } = await finished(app, receiver.url);
  await told(app.url, id, 'given_up');
  receiver.answer = status(200);
  const again = await redeliver(app, id);
  t.equal(again.status, 202);
  t.match(await again.json(), { id, callback: { state: 'waiting' } });
  await told(app.url, id, 'delivered');
  t.equal((await redeliver(app, id)).status, 202, 'and again, if that is wanted');
  const calls = await Promise.all([0, 1, 2].map((at) => receiver.call(at)));
  t.equal(new Set(calls.map(({ headers }) => headers['webhook-id'])).size, 1);
  t.equal(new Set(calls.map(({ body }) => body)).size, 1);
  await until('all are logged', async () => (await deliveriesOf(app, id)).data.length === 3 || null);
  t.match(await deliveriesOf(app, id), {
    data: [
      { attempt: 1, status: 410 },
      { attempt: 2, status: 200 },
      { attempt: 3, status: 200 },
    ],
  });

  const unfinished = await createAvatar(app.url, { ...URLS, callback_url: receiver.url });
  t.match(await problemOf(await redeliver(app, unfinished.id)), { status: 409, type: /:not-final$/ });
  const silent = await createAvatar(app.url);
  t.match(await problemOf(await redeliver(app, silent.id)), { status: 409, type: /:no-callback$/ });
  const none = await problemOf(await fetch(`${app.url}/avatars/${silent.id}/deliveries`));
  t.match(none, { status: 404, detail: 'The avatar has no callback_url.' });
});

t.test('a message stays below 20 kB', async (t) => {
  const app = await startApp(t, CALLING);
  const receiver = await startReceiver(t);
  const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`name-${i}`, '🙂'.repeat(250)]));
  const prompt = '🙂'.repeat(1_250);
  const avatar = await finished(app, receiver.url, { metadata, prompt });
  t.same([avatar.metadata, avatar.prompt], [metadata, prompt], 'GET has it all');
  const call = await receiver.call(0);
  t.match(verified(call), { truncated: true, data: { id: avatar.id, metadata: null, prompt } });
  t.ok(Buffer.byteLength(call.body) < 20_000);
  foretold(t, call.headers, verified(call));
  await finished(app, receiver.url, { metadata: { a: 'b' } });
  t.match(verified(await receiver.call(1)), { truncated: undefined, data: { metadata: { a: 'b' } } });
});

t.test('two secrets while one takes over', async (t) => {
  const secrets = [24, 32].map((bytes) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`);
  const app = await startApp(t, { callbacks: { ...CALLING.callbacks, secrets } });
  const receiver = await startReceiver(t);
  const { id } = await finished(app, receiver.url);
  const call = await receiver.call(0);
  for (const secret of secrets) t.match(verified(call, secret), { data: { id } });
  foretold(t, call.headers, verified(call, secrets[0]));
});

t.test('a record that is forgotten while its receiver is told stays forgotten', async (t) => {
  const app = await startApp(t, { ...CALLING, gateway: { retentionMs: 1_000 } });
  const held = await startReceiver(t, hold);
  const away = await startReceiver(t, status(500));
  const under = await finished(app, held.url);
  const still = await finished(app, away.url);
  await Promise.all([held.call(0), away.call(0)]);
  for (const { id } of [under, still]) {
    await until(`${id} is forgotten`, async () => {
      return (await fetch(`${app.url}/avatars/${id}`)).status === 404 || null;
    });
  }
  t.same([held.calls.length, away.calls.length], [1, 1]);
});
