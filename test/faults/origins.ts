/** Where requests come from: pages of other origins where no key is asked for, and addresses that proxies pass on. */

import { once } from 'node:events';
import { request } from 'node:http';
import type { Test } from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { BOUNDARY, formOf, text } from '../support/form-parts.js';
import { URLS } from '../support/requests.js';
import type { StoreName } from './cases.js';
import { passes } from './subject.js';
import { startWorld } from './world.js';

type Headers = Readonly<Record<string, string>>;

/** As a page sends a form, which needs no preflight. */
const FORM = formOf([text('image', URLS.image), text('audio_id', URLS.audio_id)]);

/** `fetch` sets some of these itself. */
async function statusOf(url: string, headers: Headers, form: Buffer | null): Promise<number | undefined> {
  const type = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
  const call = request(
    `${url}/avatars`,
    form === null ? { headers } : { method: 'POST', headers: { ...type, ...headers } },
  );
  call.end(form ?? undefined);
  const [response] = await once(call, 'response');
  response.resume();
  return response.statusCode;
}

export async function pagesRefused(t: Test, store: StoreName): Promise<void> {
  for (const kind of ['loopback', 'anyone'] as const) {
    const app = await startWorld(t, store, { callers: { kind } });
    const rebound = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' };
    const pages: readonly Headers[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      rebound,
    ];
    for (const headers of pages) {
      t.equal(await statusOf(app.url, headers, FORM), 403, `${kind}: ${JSON.stringify(headers)}`);
      t.equal(await statusOf(app.url, headers, null), 403, 'nor is anything read');
    }
    await passes(app);
    t.equal(app.simulator.ledger().length, 1, 'the bystander');
    const own = { origin: app.url, 'sec-fetch-site': 'same-origin' };
    for (const headers of [{}, own]) t.equal(await statusOf(app.url, headers, FORM), 202, kind);
  }
}

export async function oneAddress(t: Test, store: StoreName): Promise<void> {
  const app = await startWorld(t, store, {
    callers: { kind: 'anyone' },
    rateLimitPerMinute: 1,
    trustedProxies: parseNetworks('127.0.0.0/8,10.9.0.0/16,fd00::/8'),
  });
  for (const [first = '', ...others] of [
    ['203.0.113.7:41001', '203.0.113.7:41002', '203.0.113.7', '203.0.113.7:5, 10.9.0.4:1234'],
    ['[2001:db8::1]:40001', '[2001:db8::1]', '2001:db8::1', '[2001:db8::1]:4, [fd00::4]:1234'],
    ['198.51.100.3', '::ffff:198.51.100.3'],
  ]) {
    t.equal(await statusOf(app.url, { 'x-forwarded-for': first }, null), 200, first);
    for (const other of others) {
      t.equal(await statusOf(app.url, { 'x-forwarded-for': other }, null), 429, other);
    }
  }
}
