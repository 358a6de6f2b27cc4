/** A client of Modellix that names a webhook is told there, as by Modellix. */

import t from 'tap';
import { parseNetworks } from '../../../src/outbound/addresses.js';
import { startApp } from '../../support/app.js';
import { callersFile, keyOf } from '../../support/callers.js';
import { bearer } from '../../support/directory.js';
import { CALLBACK_NETWORKS, startReceiver, status, verified } from '../../support/receiver.js';
import { STORES, startReplicas } from '../../support/replicas.js';
import { createAvatar, readAvatar, URLS } from '../../support/requests.js';
import { dataOf, readTask, refused, submitTask } from './support.js';

const callbacks = { allowedNetworks: parseNetworks(CALLBACK_NETWORKS) };

for (const store of STORES) {
  t.test(`${store}: it is told what a query would be answered`, async (t) => {
    const receiver = await startReceiver(t, (response, call) =>
      status(call.headers['x-modellix-retry-count'] === '0' ? 503 : 204)(response, call),
    );
    const { one, other } = await startReplicas(t, store, { callbacks });
    const headers = { 'x-webhook-url': `${receiver.url}/hook` };
    for (const [end, event] of [
      ['success', 'succeeded'],
      ['failed', 'failed'],
    ] as const) {
      const from = receiver.calls.length;
      const { task_id } = await dataOf(t, await submitTask(one.url, URLS, { headers }));
      const avatar = await readAvatar(one.url, String(task_id));
      t.match(avatar, { callback: { url: headers['x-webhook-url'], state: 'waiting' } });
      one.simulator.settle(String(avatar.task_id), { end });
      const [first, second] = [await receiver.call(from), await receiver.call(from + 1)];
      t.match(second.headers, {
        'content-type': 'application/json',
        'x-modellix-event': `prediction.task.${event}`,
        'x-modellix-task-id': task_id,
        'x-modellix-delivery-id': first.headers['x-modellix-delivery-id'],
        'x-modellix-retry-count': '1',
      });
      t.equal(second.headers['x-modellix-delivery-id'], second.headers['webhook-id']);
      const told = verified(second) as unknown as { code: number; message: string; data: object };
      const asked = await readTask(t, other.url, task_id);
      const withoutLinks = (value: unknown) =>
        JSON.stringify(value)
          .replace(/expires=\d+&signature=[\w-]{43}/g, '')
          .replaceAll(other.url, one.url);
      t.equal(withoutLinks(told), withoutLinks({ code: 0, message: 'success', data: asked }));
      const url = /"url":"([^"]+)"/.exec(second.body)?.[1];
      if (end === 'success') t.equal((await fetch(String(url))).status, 200, 'the link works');
    }
    const { id, task_id } = await createAvatar(one.url, { ...URLS, callback_url: receiver.url });
    one.simulator.settle(String(task_id), { end: 'success' });
    const call = await receiver.call(4);
    t.match(verified(call), { type: 'avatar.succeeded', data: { id } });
    t.notOk('x-modellix-event' in call.headers, 'one made as an avatar is told of as one');
  });
}

t.test('it is held to the rules of callbacks, and they say what it is called here', async (t) => {
  const { url, simulator } = await startApp(t, { callbacks: {} });
  const words = /^Invalid format: X-Webhook-URL /;
  for (const webhook of [
    'http://127.0.0.1/',
    'http://10.0.0.1/',
    'ftp://example.com/',
    'no url',
    '',
    'https://u:p@example.com/',
  ]) {
    const answer = await submitTask(url, URLS, { headers: { 'x-webhook-url': webhook } });
    t.match(await refused(t, answer, 400, webhook), words);
  }
  const silent = await startApp(t, { callbacks: { secrets: [] } });
  const answer = await submitTask(silent.url, URLS, { headers: { 'x-webhook-url': 'https://example.com/' } });
  t.match(await refused(t, answer, 400, 'no secrets'), /X-Webhook-URL cannot be used here.*WEBHOOK_SECRETS/);

  const { file } = await callersFile(t, { app: { callback_hosts: ['hooks.example.com'] } });
  const listed = await startApp(t, { callers: { kind: 'file', file } });
  const foreign = { ...bearer(keyOf('app')), 'x-webhook-url': 'https://example.com/' };
  t.match(
    await refused(t, await submitTask(listed.url, URLS, { headers: foreign }), 400, 'not listed'),
    words,
  );
  for (const each of [simulator, silent.simulator, listed.simulator]) t.strictSame(each.ledger(), []);
});

t.test('a key stands for a request with its webhook', async (t) => {
  const { url, simulator } = await startApp(t, { callbacks });
  const submit = (webhook: string) =>
    submitTask(url, URLS, { headers: { 'idempotency-key': 'order-17', 'x-webhook-url': webhook } });
  const { task_id } = await dataOf(t, await submit('http://127.0.0.1:9/one'));
  t.equal((await dataOf(t, await submit('http://127.0.0.1:9/one'))).task_id, task_id);
  t.match(await refused(t, await submit('http://127.0.0.1:9/other'), 422, 'another'), /Idempotency-Key/);
  t.equal(simulator.ledger().length, 1);
});
