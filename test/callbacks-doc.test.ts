/** The receiver's code in docs/callbacks.md, run as it stands there against a gateway. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { parseNetworks } from '../src/outbound/addresses.js';
import { startApp, WEBHOOK_SECRET } from './support/app.js';
import { startReceiver } from './support/receiver.js';
import { createAvatar, URLS } from './support/requests.js';

type Verify = (secret: string, headers: Record<string, unknown>, body: string) => unknown;

t.test('what is shown verifies what is sent, and nothing else', async (t) => {
  const page = await readFile(new URL('../docs/callbacks.md', import.meta.url), 'utf8');
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  const file = join(t.testdir(), 'verify.mjs');
  await writeFile(file, code);
  const { verify } = (await import(pathToFileURL(file).href)) as { verify: Verify };

  const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const app = await startApp(t, {
    callbacks: { secrets: [other, WEBHOOK_SECRET], allowedNetworks: parseNetworks('127.0.0.0/8') },
  });
  const receiver = await startReceiver(t);
  const { id, task_id } = await createAvatar(app.url, { ...URLS, callback_url: receiver.url });
  app.simulator.settle(String(task_id), { end: 'success' });
  const { headers, body } = await receiver.call(0);

  for (const secret of [other, WEBHOOK_SECRET]) {
    t.match(verify(secret, headers, body), { type: 'avatar.succeeded', data: { id } });
  }
  const wrong = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
  const old = String(Number(headers['webhook-timestamp']) - 301);
  const refused: readonly [string, Record<string, unknown>, string][] = [
    [wrong, headers, body],
    [WEBHOOK_SECRET, headers, `${body} `],
    [WEBHOOK_SECRET, { ...headers, 'webhook-id': 'av_other' }, body],
    [WEBHOOK_SECRET, { ...headers, 'webhook-timestamp': old }, body],
    [WEBHOOK_SECRET, { ...headers, 'webhook-timestamp': 'now' }, body],
    [WEBHOOK_SECRET, { ...headers, 'webhook-signature': undefined }, body],
    [WEBHOOK_SECRET, { ...headers, 'webhook-signature': 'v1,' }, body],
    [WEBHOOK_SECRET, {}, body],
  ];
  for (const [secret, headers, body] of refused) {
    t.throws(() => verify(secret, headers, body), { message: /^(too old|not signed)/ });
  }
});
