/** Callbacks of callers: secrets of their own, and hosts that they may not have called. */

import t, { type Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { startApp, WEBHOOK_SECRET } from '../support/app.js';
import { type CallersFile, callersFile } from '../support/callers.js';
import { promised } from '../support/openapi.js';
import { startReceiver, verified } from '../support/receiver.js';
import { postJson, URLS } from '../support/requests.js';

const OWN_SECRET = 'whsec_TVZEVlFuTjBWV1ZYYUdWWVlXVkZiR05XVWtoVw==';

async function started(t: Test, secrets: readonly string[], callers: CallersFile) {
  return startApp(t, {
    callers: { kind: 'file', file: callers.file },
    callbacks: { secrets, allowedNetworks: parseNetworks('127.0.0.0/8') },
  });
}

t.test('a caller may have secrets of its own', async (t) => {
  const callers = await callersFile(t, { own: { webhook_secrets: [OWN_SECRET] }, other: {} });
  const app = await started(t, [], callers);
  const receiver = await startReceiver(t);
  const refused = await postJson(app.url, { ...URLS, callback_url: receiver.url }, callers.as('other'));
  t.equal(refused.status, 422);
  t.match(await promised(t, refused, 'POST', '/avatars'), { errors: [{ pointer: '/callback_url' }] });

  const response = await postJson(app.url, { ...URLS, callback_url: receiver.url }, callers.as('own'));
  t.equal(response.status, 202);
  const { task_id } = (await response.json()) as { task_id: string };
  app.simulator.settle(task_id, { end: 'failed' });
  const message = await receiver.call(0);
  t.match(verified(message, OWN_SECRET), { type: 'avatar.failed' });
  t.throws(() => verified(message, WEBHOOK_SECRET));
});

t.test('callbacks go to listed hosts alone, as the list is when they are sent', async (t) => {
  const callers = await callersFile(t, { shop: { callback_hosts: ['127.0.0.1', '*.example.com'] } });
  const app = await started(t, [WEBHOOK_SECRET], callers);
  const receiver = await startReceiver(t);
  for (const url of [
    'https://example.com/hook',
    'https://badexample.com/hook',
    'https://hooks.example.com.evil.test/hook',
    'http://127.0.0.2:1/hook',
  ]) {
    const refused = await postJson(app.url, { ...URLS, callback_url: url }, callers.as('shop'));
    t.equal(refused.status, 422, url);
    t.match(await promised(t, refused, 'POST', '/avatars'), { type: /url-not-allowed$/ });
  }
  const response = await postJson(app.url, { ...URLS, callback_url: receiver.url }, callers.as('shop'));
  t.equal(response.status, 202);
  const { id, task_id } = (await response.json()) as { id: string; task_id: string };
  app.simulator.settle(task_id, { end: 'failed' });
  t.match(verified(await receiver.call(0), WEBHOOK_SECRET), { type: 'avatar.failed', data: { id } });
});
