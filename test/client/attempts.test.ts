/** How long an attempt may take, what redirects are, and what is known of requests without an answer. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as later } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createClient } from '../../src/client/index.js';
import { startApp } from '../support/app.js';
import { certificates } from '../support/certificates.js';
import { portrait, speech, URLS } from '../support/requests.js';
import { breaksOff, rejection, says, startPathProxy, startScripted } from './support.js';

/** So that half a megabyte takes longer than the time for an answer. */
const BYTES_A_MS = 500;
const LARGE = { image: new Blob([new Uint8Array(400_000)]), audio_id: 'audio-1' };

t.test('[E12] an upload has time by its size, beside that of the answer', async (t) => {
  const slow = await startScripted(t, async (response, request) => {
    await later(600);
    says(200, { id: 'av_1' })(response, request);
  });
  const client = createClient({ baseUrl: slow.url, requestTimeoutMs: 200 });
  t.match(await client.create(LARGE), { id: 'av_1' });
  t.match(await client.create({ ...LARGE, image: 'x'.repeat(400_000) }), { id: 'av_1' }, 'in JSON too');
  t.equal(slow.requests.length, 2, 'each sent once');

  const impatient = createClient({ baseUrl: slow.url, requestTimeoutMs: 200, maxRetries: 0 });
  t.match(
    await rejection(impatient.create(URLS)),
    { message: /none within 2\d\d ms$/ },
    'small ones have not',
  );
  t.match(await impatient.get('av_1', { requestTimeoutMs: 5_000 }), { id: 'av_1' }, 'a call of its own time');
  const endless = createClient({ baseUrl: slow.url, requestTimeoutMs: Number.POSITIVE_INFINITY });
  t.match(await endless.get('av_1'), { id: 'av_1' }, 'as long as a timer can');
});

t.test('[E12] over a slow line, media arrive at the first attempt', async (t) => {
  const { url, simulator } = await startApp(t);
  let attempts = 0;
  const line = createTcpServer((caller) => {
    attempts += 1;
    const gateway = connect(Number(new URL(url).port), '127.0.0.1');
    const slowly = async function* (source: AsyncIterable<Buffer>) {
      for await (const bytes of source) {
        await later(bytes.length / BYTES_A_MS);
        yield bytes;
      }
    };
    pipeline(caller, slowly, gateway).catch(() => {});
    pipeline(gateway, caller).catch(() => {});
  }).listen(0, '127.0.0.1');
  await once(line, 'listening');
  t.teardown(() => void line.close());
  const client = createClient({
    baseUrl: `http://127.0.0.1:${(line.address() as AddressInfo).port}`,
    requestTimeoutMs: 500,
  });
  const sound_file = new Blob([speech, new Uint8Array(500_000)]);
  const made = await client.create({ image: new Blob([portrait]), sound_file });
  t.equal(simulator.ledger()[0]?.taskId, made.task_id);
  t.equal(attempts, 1);
});

t.test('[E21] redirects are told in words, and not tried again', async (t) => {
  const redirect = (status: number, location?: string) =>
    says(status, {}, location === undefined ? {} : { location });
  const cases: [status: number, location: string | undefined, message: string][] = [
    [
      301,
      'https://gw.test/avatars?limit=3',
      "The answer was 301, a redirect to https://gw.test/avatars, which is not followed; use https://gw.test as the gateway's address",
    ],
    [
      308,
      'https://gw.test/own/avatars?limit=3',
      "The answer was 308, a redirect to https://gw.test/own/avatars, which is not followed; use https://gw.test/own as the gateway's address",
    ],
    [
      302,
      'https://login.test/?state=hush',
      'The answer was 302, a redirect to https://login.test/, which is not followed',
    ],
    [307, undefined, 'The answer was 307, a redirect to nowhere, which is not followed'],
    [303, 'http://[', 'The answer was 303, a redirect to nowhere, which is not followed'],
  ];
  for (const [status, location, message] of cases) {
    const server = await startScripted(t, redirect(status, location));
    const client = createClient({ baseUrl: server.url });
    t.match(await rejection(client.page({ limit: 3 })), { name: 'GatewayError', status, message });
    t.match(await rejection(client.create(URLS)), { status, idempotencyKey: /^[0-9a-f]{32}$/ });
    t.match(await rejection(client.wait('av_1')), { status });
    t.match(await rejection(client.events(null)[Symbol.asyncIterator]().next()), { status });
    t.equal(server.requests.length, 4);
  }
  // A page is told neither the status nor the place (Fetch, "opaque-redirect filtered response").
  const opaque = { type: 'opaqueredirect', status: 0, headers: new Headers(), body: null } as Response;
  const page = createClient({ baseUrl: 'http://gw.test', fetch: async () => opaque });
  t.match(await rejection(page.get('av_1')), {
    name: 'GatewayError',
    status: 0,
    message: 'The answer was a redirect, which is not followed',
  });
});

/** Where nobody listens: the port was given back. */
async function nobody(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function distrusted(t: Test): Promise<string> {
  const [, certFile = '', , keyFile = ''] = (await certificates(t)).args;
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  const server = createTlsServer({ key, cert }, (_, response) => void response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close().closeAllConnections());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('[E21] it is known where no connection came about', { jobs: 8 }, async (t) => {
  const cases: [name: string, baseUrl: string, message: RegExp][] = [
    ['refused', `http://127.0.0.1:${await nobody()}`, /ECONNREFUSED 127/],
    ['refused by each address', `http://localhost:${await nobody()}`, /ECONNREFUSED/],
    ['no such host', 'http://gateway.invalid', /gateway\.invalid/],
    ['a port that fetch does not go to', 'http://127.0.0.1:1', /bad port/],
    ['a certificate that nobody signed', await distrusted(t), /cert/],
    ['no TLS there', (await startScripted(t, says(200))).url.replace('http:', 'https:'), /SSL|TLS/],
  ];
  for (const [name, baseUrl, message] of cases) {
    t.test(name, async (t) => {
      const error = await rejection(createClient({ baseUrl, maxRetries: 1 }).create(URLS));
      t.match(error, { name: 'ConnectionError', isUnsent: true, message });
    });
  }
  t.test('but not where one of the attempts had one', async (t) => {
    const server = await startScripted(t, breaksOff);
    const once = createClient({ baseUrl: server.url, maxRetries: 0 });
    t.match(await rejection(once.create(URLS)), { name: 'ConnectionError', isUnsent: false });
    const port = await nobody();
    let attempts = 0;
    const client = createClient({
      baseUrl: server.url,
      maxRetries: 2,
      fetch: (url, init) => fetch(attempts++ === 0 ? url : `http://127.0.0.1:${port}/`, init),
    });
    const error = await rejection(client.create(URLS));
    t.match(error, { name: 'ConnectionError', isUnsent: false, message: /ECONNREFUSED/ });
    t.equal(attempts, 3);
  });
});

t.test('[E21] nobody on the way is to keep an answer', async (t) => {
  const server = await startScripted(t, says(200, { id: 'av_1' }));
  const asked: unknown[] = [];
  const client = createClient({
    baseUrl: server.url,
    fetch: (url, init) => {
      asked.push((init as { cache?: unknown }).cache);
      return fetch(url, init);
    },
  });
  await client.get('av_1');
  t.strictSame(asked, ['no-store'], 'what frameworks that replace fetch go by');
  t.equal(server.requests[0]?.headers['cache-control'], 'no-cache', 'what proxies go by');
});

t.test('a gateway below a path', async (t) => {
  const { url, simulator } = await startApp(t);
  const client = createClient({ baseUrl: `${await startPathProxy(t, url)}/` });

  const made = await client.create(URLS);
  simulator.settle(String(made.task_id), { end: 'success' });
  t.match(await client.wait(made.id), { status: 'succeeded' });
  const types: string[] = [];
  for await (const { type } of client.events(made.id)) types.push(type);
  t.strictSame(types, ['avatar']);
  const { body, contentLength } = await client.video(made.id);
  t.equal((await new Response(body).arrayBuffer()).byteLength, contentLength);
  t.match(await client.page(), { data: [{ id: made.id }] });
  await client.delete(made.id);
});

t.test('an avatar that ended before the answer is named, wherever the gateway is', async (t) => {
  for (const instance of ['/avatars/av_1', '/own/gw/avatars/av_1', 'https://gw.test/own/avatars/av_1']) {
    const server = await startScripted(
      t,
      says(503, { type: 'urn:avatar-gateway:problem:account-problem', title: 'T', detail: 'd', instance }),
    );
    const error = await rejection(createClient({ baseUrl: server.url }).create(URLS));
    t.match(error, { status: 503, avatarId: 'av_1' });
    t.equal(server.requests.length, 1, 'and is not made again');
  }
});
