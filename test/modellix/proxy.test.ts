/** What a call comes to when a forward proxy is on the way. */

import t, { type Test } from 'tap';
import { readProxies } from '../../src/modellix/proxies.js';
import { type ForwardProxy, type Manner, startProxy } from '../support/proxy.js';
import {
  ACCEPTED,
  answering,
  begun,
  clientFor,
  deadPort,
  httpServer,
  KEY,
  query,
  rawServer,
  submit,
  whenWhole,
} from './support.js';

const NAME = 'http://modellix.test';

/** A client that knows only the proxy. */
const clientBehind = (t: Test, { address }: Pick<ForwardProxy, 'address'>, connectTimeoutMs = 5000) =>
  clientFor(t, NAME, { proxies: { http: address }, connectTimeoutMs });

async function behind(t: Test, port: number) {
  const proxy = await startProxy(t, { 'modellix.test:80': port });
  return { proxy, client: clientBehind(t, proxy) };
}

t.test('[R10] a submit, a query, a probe and a video go through the tunnel', async (t) => {
  const server = await httpServer(t, (response) => answering(200, ACCEPTED)(response));
  const { proxy, client } = await behind(t, Number(new URL(server.origin).port));
  t.match(await submit(client), { kind: 'accepted' });
  t.equal(server.requests[0]?.headers.host, 'modellix.test');
  t.equal(proxy.asked.length, 1);
  for (let n = 0; n < 6; n += 1) t.match(await query(client), { kind: 'unfinished' });
  t.ok(proxy.asked.length <= 3, 'queries keep theirs');
  t.equal(await client.probe(KEY), 'ok');
  const request = { method: 'GET', signal: new AbortController().signal } as const;
  const video = await client.video(`${NAME}/v.mp4`, request);
  t.match(video, { kind: 'ok' });
  if (video.kind === 'ok') video.body.resume();
  t.ok(server.requests.every(({ headers }) => headers['proxy-authorization'] === undefined));
});

const REFUSALS: readonly [Manner, string][] = [
  [407, 'the proxy answered 407'],
  [403, 'the proxy answered 403'],
  [502, 'the proxy answered 502'],
  [301, 'the proxy answered 301'],
  ['reset', 'the proxy cannot be used: connection reset'],
];
for (const [manner, reason] of REFUSALS) {
  t.test(`[R10] a CONNECT that meets ${manner}: not sent, one CONNECT, and the next may pass`, async (t) => {
    const server = await httpServer(t, (response) => answering(200, ACCEPTED)(response));
    const { proxy, client } = await behind(t, Number(new URL(server.origin).port));
    proxy.behave(manner);
    const refused = await submit(client);
    t.equal(refused.kind, 'not-sent');
    t.match(refused, { reason: manner === 'reset' ? /^the proxy cannot be used: / : reason });
    t.equal(proxy.asked.length, 1);
    t.match(await query(client), { kind: 'unavailable', reason: /^the proxy / });
    t.equal(proxy.asked.length, 2);
    t.equal(await client.probe(KEY), 'unreachable');
    proxy.behave('tunnel');
    t.match(await query(client), { kind: 'unfinished' });
    t.match(await submit(client), { kind: 'accepted' });
    t.equal(server.requests.length, 2);
  });
}

t.test('[R10] a proxy that is away, or silent: not sent', async (t) => {
  const away = clientBehind(t, { address: `127.0.0.1:${await deadPort()}` });
  const reason = 'the proxy cannot be used: connection refused';
  t.strictSame(await submit(away), { kind: 'not-sent', reason });
  t.match(await query(away), { kind: 'unavailable', reason });
  const proxy = await startProxy(t, {});
  proxy.behave('silence');
  const silent = clientBehind(t, proxy, 100);
  t.match(await submit(silent), { kind: 'not-sent' });
  t.match(await query(silent), { kind: 'unavailable' });
});

t.test('[R10] what breaks once the request is on its way through a tunnel is unknown', async (t) => {
  const server = await rawServer(
    t,
    whenWhole(() => proxy.cut()),
  );
  const { proxy, client } = await behind(t, server.port);
  t.match(await submit(client), { kind: 'unknown', status: null });
  await server.quiet();
  t.equal(begun(server), 1);
  t.equal(proxy.asked.length, 1);
});

t.test('[R10] no TLS at the end of a tunnel: not sent', async (t) => {
  const server = await rawServer(t, (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const proxy = await startProxy(t, { 'modellix.test:443': server.port });
  const client = clientFor(t, 'https://modellix.test', { proxies: { https: proxy.address } });
  t.match(await submit(client), { kind: 'not-sent' });
  await server.quiet();
  t.equal(server.connections.length, 1);
  t.equal(begun(server), 0);
});

t.test('[R10] which proxy leads where', async (t) => {
  const proxyFor = readProxies({
    http: 'http://plain.test:3128',
    https: 'user:p%40ss@tls.test:8080/',
    except:
      'example.com,.dots.test *.stars.test port.test:8443, 10.0.0.0/8 2001:db8::/32,[2001:db9::1],192.0.2.7, 10.0.0.0/99 ,',
  });
  const login = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  const tls = { origin: 'http://tls.test:8080', authorization: login };
  const plain = { origin: 'http://plain.test:3128', authorization: null };
  const to = (url: string) => proxyFor(new URL(url));
  t.strictSame(to('https://api.modellix.ai'), tls);
  t.strictSame(to('http://api.modellix.ai'), plain);
  for (const url of [
    'https://notexample.com',
    'https://port.test',
    'https://11.0.0.1',
    'https://[2001:db9::2]',
  ]) {
    t.strictSame(to(url), tls, url);
  }
  const direct = [
    'https://example.com https://a.b.example.com http://EXAMPLE.com:8080 https://dots.test https://a.dots.test',
    'https://a.stars.test https://port.test:8443 https://10.1.2.3 https://[2001:db8:0::5] https://[2001:db9::1]',
    'http://192.0.2.7 http://localhost:1 https://a.localhost http://127.0.0.9:1 http://[::1]:1',
  ];
  for (const url of direct.join(' ').split(' ')) t.equal(to(url), null, url);
  const none = readProxies({ https: 'https://secure.test:4443', except: 'a, *' });
  t.equal(none({ protocol: 'https:', hostname: 'api.modellix.ai', port: '' }), null);
  const secure = readProxies({ https: 'https://secure.test:4443' });
  t.match(secure({ protocol: 'https:', hostname: 'x.test', port: '' }), {
    origin: 'https://secure.test:4443',
  });
  t.equal(secure({ protocol: 'http:', hostname: 'x.test', port: '' }), null, 'as curl: each has its own');
});

t.test('[R13] a base URL may have a path: it is put before every other', async (t) => {
  const server = await httpServer(t, (response) => answering(200, ACCEPTED)(response));
  const client = clientFor(t, `${server.origin}/gateway/modellix/`);
  await submit(client);
  await query(client);
  await client.probe(KEY);
  t.same(
    server.requests.map(({ url }) => url),
    [
      '/gateway/modellix/api/v1/image-to-video/kling/kling-avatar/async',
      '/gateway/modellix/api/v1/tasks/task-1',
      '/gateway/modellix/api/v1/apikey/validate',
    ],
  );
});
