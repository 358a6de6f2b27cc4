/** What goes wrong, in words and without secrets. */

import { once } from 'node:events';
import t from 'tap';
import { ConnectionError, createClient, GatewayError } from '../../src/client/index.js';
import { startApp } from '../support/app.js';
import { freePort } from '../support/redis-process.js';
import { GOOD, URLS } from '../support/requests.js';
import { type Answer, breaksOff, hangs, rejection, startScripted } from './support.js';

const KEY = 'agk_1234567890';

t.test('what the gateway says is wrong', async (t) => {
  const { url } = await startApp(t);
  const client = createClient({ baseUrl: url, headers: { 'x-request-id': 'mine-1' } });
  const wrong = { ...URLS, mode: 'slow', extra: 1 } as unknown as typeof URLS;
  const error = (await rejection(client.create(wrong))) as GatewayError;
  t.ok(error instanceof GatewayError);
  t.match(error, {
    name: 'GatewayError',
    status: 422,
    type: 'validation',
    requestId: 'mine-1',
    retryAfterMs: null,
    idempotencyKey: /^[0-9a-f]{32}$/,
    problem: { type: 'urn:avatar-gateway:problem:validation', request_id: 'mine-1' },
  });
  t.match(error.message, /^A field is not valid: .*\/mode .*/);
  t.match(error.message, /\/extra /);
  t.match(await rejection(client.get('av_none')), { status: 404, type: 'not-found', idempotencyKey: null });
  t.match(await rejection(client.check({ image: GOOD.sound_file, audio_id: 'a' })), {
    type: 'invalid-media',
  });
});

t.test('what a proxy says is wrong', async (t) => {
  const html: Answer = (response) =>
    void response.writeHead(413, { 'content-type': 'text/html' }).end('<h1>Too large</h1>');
  const other: Answer = (response) =>
    void response.writeHead(403, { 'content-type': 'application/problem+json' }).end('{"title":"No"}');
  const server = await startScripted(t, html, other);
  const client = createClient({ baseUrl: server.url });
  for (const status of [413, 403]) {
    t.match(await rejection(client.create(URLS)), {
      message: `The answer was ${status}`,
      status,
      type: null,
      problem: null,
      requestId: null,
    });
  }
});

t.test('no answer', async (t) => {
  const nobody = createClient({
    baseUrl: `http://127.0.0.1:${await freePort()}`,
    maxRetries: 0,
    apiKey: KEY,
  });
  const refused = (await rejection(nobody.create(URLS, { idempotencyKey: 'mine' }))) as ConnectionError;
  t.ok(refused instanceof ConnectionError);
  t.match(refused, { name: 'ConnectionError', idempotencyKey: 'mine', cause: TypeError });
  t.match(refused.message, /^No answer from the gateway: .*ECONNREFUSED/);
  t.notMatch(JSON.stringify([refused.message, refused.stack]), KEY);

  const page: Answer = (response) => void response.writeHead(200).end('<h1>Welcome</h1>');
  const server = await startScripted(t, breaksOff, page);
  const client = createClient({ baseUrl: server.url, maxRetries: 0 });
  for (const what of [/: other side closed|socket/, /JSON/]) {
    const error = (await rejection(client.get('av_1'))) as Error;
    t.match(error.name, 'ConnectionError');
    t.match(error.message, what);
  }
});

t.test('an abort', { jobs: 3 }, async (t) => {
  t.test('while there is no answer', async (t) => {
    const leave = new AbortController();
    const reason = new Error('enough');
    const closed: Promise<unknown>[] = [];
    const { url } = await startScripted(t, (response) => {
      closed.push(once(response, 'close'));
      leave.abort(reason);
    });
    const getting = createClient({ baseUrl: url }).get('av_1', { signal: leave.signal });
    t.equal(await rejection(getting), reason);
    await closed[0];
  });

  t.test('before it begins', async (t) => {
    const server = await startScripted(t, hangs);
    const signal = AbortSignal.abort();
    t.match(await rejection(createClient({ baseUrl: server.url }).create(URLS, { signal })), {
      name: 'AbortError',
    });
    t.equal(server.requests.length, 0);
  });

  t.test('between two attempts', async (t) => {
    const server = await startScripted(t, (response) => {
      response.writeHead(503, { 'retry-after': '60' }).end();
    });
    const leave = new AbortController();
    const client = createClient({ baseUrl: server.url });
    const onResponse = () => setTimeout(() => leave.abort(), 50);
    t.match(await rejection(client.get('av_1', { signal: leave.signal, onResponse })), {
      name: 'AbortError',
    });
    t.equal(server.requests.length, 1);
  });
});

t.test('options that cannot be used are told of without their secrets', async (t) => {
  const baseUrl = 'http://127.0.0.1:8080';
  const cases = [
    { baseUrl: 'gateway' },
    { baseUrl: 'ftp://127.0.0.1' },
    { baseUrl: `http://user:${KEY}@127.0.0.1` },
    { baseUrl: `http://127.0.0.1?key=${KEY}` },
    { baseUrl, apiKey: `${KEY}\n` },
    { baseUrl, apiKey: '' },
  ];
  for (const options of cases) {
    const error = await rejection((async () => createClient(options))());
    t.match(error, { name: 'TypeError' });
    t.notMatch(String(error), KEY);
  }
  const client = createClient({ baseUrl });
  for (const id of ['', '..', 'a/b', 'a?b']) t.match(await rejection(client.get(id)), { name: 'TypeError' });
});

t.test('what is sent along', async (t) => {
  const server = await startScripted(t, (response) => void response.end('{}'));
  const client = createClient({ baseUrl: `${server.url}/gateway/`, apiKey: KEY, headers: { 'x-team': 'a' } });
  await client.get('av_1');
  t.match(server.requests[0]?.headers, { authorization: `Bearer ${KEY}`, 'x-team': 'a' });
  let asked = '';
  const own = createClient({
    baseUrl: `${server.url}/gateway/`,
    fetch: async (input) => {
      asked = String(input);
      return Response.json({ id: 'av_1' });
    },
  });
  t.match(await own.get('av_1'), { id: 'av_1' });
  t.equal(asked, `${server.url}/gateway/avatars/av_1`);
});
