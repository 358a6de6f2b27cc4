/** `start_within_seconds`: what was not submitted by then is canceled, and never sent. On both stores; two replicas on Redis. */

import t, { type Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { startApp } from '../support/app.js';
import { STORES, startReplicas } from '../support/replicas.js';
import { createAvatar, GOOD, portrait, postJson, readAvatar, speech, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const MOST = 30 * 86_400;

for (const store of STORES) {
  t.test(`${store}: an avatar that is not submitted in time is canceled`, async (t) => {
    const { one, other } = await startReplicas(t, store, { limits: { tasks: 1 } });
    const { simulator } = one;
    const running = await createAvatar(one.url, URLS);
    t.equal(running.start_by, null);
    const before = Date.now();
    const late = await createAvatar(one.url, { ...URLS, start_within_seconds: 1 });
    const behind = await createAvatar(other.url, { ...URLS, start_within_seconds: 3600 });
    t.match(late, { status: 'queued', error: null, queue: { position: 1 } });
    t.equal(Date.parse(late.start_by ?? '') - Date.parse(late.created_at), 1000);
    t.equal(Date.parse(behind.start_by ?? '') - Date.parse(behind.created_at), 3_600_000);

    const ended = await until('it has ended', async () => {
      const avatar = await readAvatar(other.url, late.id);
      return avatar.status === 'queued' ? null : avatar;
    });
    t.match(ended, {
      status: 'canceled',
      task_id: null,
      error: { type: 'urn:avatar-gateway:problem:not-started-in-time', upstream_status: null },
      cost: { reserved: null, settled: null },
    });
    t.match(ended.error?.detail, `by ${late.start_by}`);
    t.ok(Date.now() - before >= 1000, 'not before its time');
    t.match(await readAvatar(one.url, behind.id), { status: 'queued', queue: { position: 1 } });

    simulator.settle(running.task_id ?? '', { end: 'success' });
    const started = await until('who had more time is submitted', async () => {
      const avatar = await readAvatar(one.url, behind.id);
      return avatar.task_id === null ? null : avatar;
    });
    simulator.settle(started.task_id ?? '', { end: 'success' });
    await until('it succeeds', async () => (await readAvatar(one.url, behind.id)).video);
    t.equal(simulator.ledger().length, 2, 'nothing was submitted for the other');
  });
}

t.test('one that was submitted in time goes on as long as it takes', async (t) => {
  const app = await startApp(t, { simulator: { settings: { taskMs: { min: 3_600_000, max: 3_600_000 } } } });
  const avatar = await createAvatar(app.url, { ...URLS, start_within_seconds: 1 });
  t.match(avatar, { status: 'pending', error: null });
  await until('its time is over', async () => Date.now() > Date.parse(avatar.start_by ?? '') || null);
  app.simulator.settle(avatar.task_id ?? '', { end: 'success' });
  await until('it succeeds', async () => (await readAvatar(app.url, avatar.id)).video);
});

t.test('it is a part of the request, in JSON and in a form', async (t) => {
  const { url, simulator } = await startApp(t);
  const form = (seconds: string) => {
    const form = new FormData();
    form.append('image', new Blob([portrait]), 'a.jpg');
    form.append('sound_file', new Blob([speech]), 'b.mp3');
    form.append('start_within_seconds', seconds);
    return form;
  };
  const post = (body: FormData, path = '/avatars') =>
    fetch(url + path, { method: 'POST', body, headers: { 'idempotency-key': 'one' } });
  const headers = { 'idempotency-key': 'one' };
  const first = await postJson(url, { ...GOOD, start_within_seconds: 60 }, headers);
  const { id } = (await first.json()) as AvatarView;
  t.match(await (await post(form('60'))).json(), { id });
  t.match(await (await postJson(url, GOOD, headers)).json(), { type: /idempotency-key-reused$/ });
  t.match(await (await post(form('61'))).json(), { type: /idempotency-key-reused$/ });
  t.equal(simulator.ledger().length, 1);
  t.equal((await post(form('61'), '/avatars/check')).status, 200);
  t.equal((await post(form(''), '/avatars/check')).status, 200, 'left empty');

  for (const [value, detail] of [
    [0, 'must be >= 1'],
    [-1, 'must be >= 1'],
    [MOST + 1, `must be <= ${MOST}`],
    [1.5, 'must be integer'],
    ['60', 'must be integer'],
    [null, 'must be integer'],
    [[60], 'must be integer'],
  ] as const) {
    await isRefused(t, await postJson(url, { ...GOOD, start_within_seconds: value }), detail);
  }
  await isRefused(t, await post(form('0')), 'must be >= 1');
  await isRefused(t, await post(form('soon')), 'must be integer');
  await isRefused(t, await post(form('"60"')), 'must be integer');
  t.equal((await postJson(url, { ...GOOD, start_within_seconds: MOST })).status, 202);
});

async function isRefused(t: Test, response: Response, detail: string) {
  t.equal(response.status, 422, detail);
  t.match(await response.json(), { errors: [{ pointer: '/start_within_seconds', detail }] });
}
