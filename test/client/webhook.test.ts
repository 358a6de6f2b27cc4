/** Callbacks verified by the client: as the standard and its library have it, and as the gateway sends them. */

import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { createClient, verifyWebhook, type WebhookOptions } from '../../src/client/index.js';
import { readSecret } from '../../src/domain/callbacks/webhook-secret.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { signedHeaders } from '../../src/outbound/signature.js';
import { startApp, WEBHOOK_SECRET } from '../support/app.js';
import { CALLBACK_NETWORKS, startReceiver } from '../support/receiver.js';
import { URLS } from '../support/requests.js';
import { rejection } from './support.js';

/** From https://docs.svix.com/receiving/verifying-payloads/how-manual, under the names of the standard. */
const EXAMPLE = {
  body: '{"event_type":"ping","data":{"success":true}}',
  headers: {
    'webhook-id': 'msg_loFOjxBNrRLzqYUf',
    'webhook-timestamp': '1731705121',
    'webhook-signature': 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
  },
  secrets: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
  now: new Date(1731705121_000),
};
/** The vector of the tests of Standard Webhooks' libraries. */
const LIBRARY = {
  body: '{"test": 2432232314}',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  secrets: WEBHOOK_SECRET,
  now: new Date(1614265330_000),
};
const OTHER = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const reason = async (webhook: WebhookOptions) => {
  const error = await rejection(verifyWebhook(webhook));
  return (error as { reason?: string }).reason ?? error;
};

t.test('fixed vectors', async (t) => {
  t.match(await verifyWebhook(EXAMPLE), { id: 'msg_loFOjxBNrRLzqYUf', event_type: 'ping', truncated: false });
  t.match(await verifyWebhook(LIBRARY), { test: 2432232314 });
});

t.test('headers and bodies in each form', async (t) => {
  const { headers } = EXAMPLE;
  const capitals = Object.fromEntries(
    Object.entries(headers).map(([name, each]) => [name.toUpperCase(), each]),
  );
  const lists = Object.fromEntries(Object.entries(headers).map(([name, each]) => [name, [each]]));
  for (const each of [new Headers(headers), capitals, lists]) {
    t.match(await verifyWebhook({ ...EXAMPLE, headers: each }), { event_type: 'ping' });
  }
  t.match(await verifyWebhook({ ...EXAMPLE, body: Buffer.from(EXAMPLE.body) }), { event_type: 'ping' });
  const bare = EXAMPLE.secrets.slice('whsec_'.length);
  t.match(await verifyWebhook({ ...EXAMPLE, secrets: bare }), { event_type: 'ping' });
});

t.test('as the library signs and verifies', async (t) => {
  const body = '{"type":"avatar.succeeded","data":{"prompt":"ä 😀"}}';
  const library = new Webhook(WEBHOOK_SECRET);
  const now = new Date();
  const signature = library.sign('msg_1', now, body);
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': signature,
  };
  t.match(await verifyWebhook({ body, headers, secrets: WEBHOOK_SECRET }), {
    id: 'msg_1',
    data: { prompt: 'ä 😀' },
  });
  t.equal(await reason({ body, headers, secrets: OTHER }), 'wrong-signature');

  const ours = signedHeaders([readSecret(OTHER), readSecret(WEBHOOK_SECRET)], {
    id: 'av_1',
    at: now.getTime(),
    body,
  });
  for (const secret of [OTHER, WEBHOOK_SECRET]) {
    t.match(new Webhook(secret).verify(body, ours), { type: 'avatar.succeeded' });
    t.match(await verifyWebhook({ body, headers: ours, secrets: secret }), { type: 'avatar.succeeded' });
  }
  const third = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
  t.match(
    await verifyWebhook({ body, headers, secrets: [third, WEBHOOK_SECRET] }),
    { id: 'msg_1' },
    'two secrets',
  );
});

t.test('what is not to be believed, and why', async (t) => {
  const change = (name: string, value: string | string[] | undefined) => ({
    ...EXAMPLE,
    headers: { ...EXAMPLE.headers, [name]: value },
  });
  const signature = EXAMPLE.headers['webhook-signature'];
  const at = (seconds: number) => ({ ...EXAMPLE, now: new Date(EXAMPLE.now.getTime() + seconds * 1000) });
  t.match(await verifyWebhook(at(300)), { event_type: 'ping' });
  t.match(await verifyWebhook(at(-300)), { event_type: 'ping' });
  t.match(await verifyWebhook({ ...at(900), toleranceSeconds: 900 }), { event_type: 'ping' });
  t.match(
    await verifyWebhook(
      change('webhook-signature', `v1a,AAAA v1,!!! v1,${'A'.repeat(43)}= ${signature} v2,x`),
    ),
    { event_type: 'ping' },
    'one good signature among others',
  );
  const refused: readonly [string, WebhookOptions][] = [
    ['too-old', at(301)],
    ['too-new', at(-301)],
    ['wrong-signature', { ...EXAMPLE, body: `${EXAMPLE.body} ` }],
    ['wrong-signature', { ...EXAMPLE, secrets: OTHER }],
    ['wrong-signature', change('webhook-id', 'msg_other')],
    ['wrong-signature', change('webhook-timestamp', '1731705120')],
    ['wrong-signature', change('webhook-signature', signature.replace('v1,', 'v2,'))],
    ['wrong-signature', change('webhook-signature', signature.slice(0, -5))],
    ['wrong-signature', change('webhook-signature', 'v1,')],
    ['bad-headers', change('webhook-timestamp', 'now')],
    ['bad-headers', change('webhook-timestamp', '1e9')],
    ['bad-headers', change('webhook-timestamp', undefined)],
    ['bad-headers', change('webhook-id', '')],
    ['bad-headers', change('webhook-id', ['a', 'b'])],
    ['bad-headers', { ...EXAMPLE, headers: {} }],
    ['bad-headers', { ...EXAMPLE, headers: new Headers() }],
  ];
  for (const [why, webhook] of refused) t.equal(await reason(webhook), why);

  const headers = { ...EXAMPLE.headers, 'webhook-timestamp': '1731705121' };
  const signed = new Webhook(EXAMPLE.secrets).sign(EXAMPLE.headers['webhook-id'], EXAMPLE.now, 'no JSON');
  t.equal(
    await reason({ ...EXAMPLE, body: 'no JSON', headers: { ...headers, 'webhook-signature': signed } }),
    'not-json',
  );
});

t.test('secrets that are none', async (t) => {
  for (const secrets of [[], '', 'whsec_', 'whsec_not base64!', [EXAMPLE.secrets, 'whsec_not base64!']]) {
    const error = await rejection(verifyWebhook({ ...EXAMPLE, secrets }));
    t.match(error, { name: 'TypeError' });
    t.notMatch(String(error), 'not base64!');
  }
});

t.test('what a gateway sends', async (t) => {
  const app = await startApp(t, {
    callbacks: { secrets: [OTHER, WEBHOOK_SECRET], allowedNetworks: parseNetworks(CALLBACK_NETWORKS) },
  });
  const receiver = await startReceiver(t);
  const made = await createClient({ baseUrl: app.url }).create({ ...URLS, callback_url: receiver.url });
  app.simulator.settle(String(made.task_id), { end: 'success' });
  const { headers, body } = await receiver.call(0);
  const event = await verifyWebhook({ body, headers, secrets: WEBHOOK_SECRET });
  t.match(event, {
    id: headers['webhook-id'],
    type: 'avatar.succeeded',
    data: { id: made.id, metadata: {} },
  });
});
