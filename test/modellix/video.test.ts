/** Fault 18: the video host is slow, resets, or has nothing; and the key never goes to it. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { buildConnector } from 'undici';
import { certificates } from '../support/certificates.js';
import { answering, begun, clientFor, deadPort, httpServer, rawServer, whenWhole } from './support.js';

const signal = new AbortController().signal;
const GET = { method: 'GET', signal } as const;
const SIGNED = '/v.mp4?sig=do-not-show';

t.test('the whole file, without the key even where the host is that of the API', async (t) => {
  const passed = {
    'content-type': 'video/mp4',
    'content-length': '5',
    'accept-ranges': 'bytes',
    etag: '"1"',
    'last-modified': 'Wed, 21 Oct 2026 07:28:00 GMT',
  };
  const server = await httpServer(
    t,
    answering(200, 'video', { ...passed, 'set-cookie': 'a=1', server: 'x' }),
  );
  const answer = await clientFor(t, server.origin).video(server.origin + SIGNED, GET);
  if (answer.kind !== 'ok') throw new Error(answer.kind);
  t.equal(answer.status, 200);
  t.strictSame(answer.headers, passed);
  t.equal((await buffer(answer.body)).toString(), 'video');
  const host = server.origin.slice('http://'.length);
  t.equal(server.requests[0]?.url, SIGNED);
  t.strictSame(server.requests[0]?.headers, {
    host,
    connection: 'keep-alive',
    'user-agent': 'avatar-gateway/test',
    'accept-encoding': 'identity',
  });
});

t.test('a range', async (t) => {
  const server = await httpServer(t, answering(206, 'de', { 'content-range': 'bytes 1-2/5' }));
  const client = clientFor(t, 'http://127.0.0.1');
  const answer = await client.video(server.origin, { ...GET, range: 'bytes=1-2', ifRange: '"1"' });
  if (answer.kind !== 'ok') throw new Error(answer.kind);
  t.equal(answer.status, 206);
  t.equal(answer.headers['content-range'], 'bytes 1-2/5');
  t.equal((await buffer(answer.body)).toString(), 'de');
  t.match(server.requests[0]?.headers, { range: 'bytes=1-2', 'if-range': '"1"' });
});

const HEAD = { ...GET, method: 'HEAD', range: 'bytes=3-', ifRange: '"1"' } as const;
const WHOLE = { 'accept-ranges': 'bytes', 'content-type': 'video/mp4', etag: '"1"' };
const HEADS: readonly [string, number, Record<string, string>, object][] = [
  ['a part', 206, { ...WHOLE, 'content-range': 'bytes 0-0/1000' }, { ...WHOLE, 'content-length': '1000' }],
  ['a part of what has no known end', 206, { ...WHOLE, 'content-range': 'bytes 0-0/*' }, WHOLE],
  ['all of it', 200, { ...WHOLE, 'content-length': '7' }, { ...WHOLE, 'content-length': '7' }],
];
for (const [what, status, headers, expected] of HEADS) {
  t.test(`[E5] [R03] HEAD is a GET of the first byte, answered with ${what}`, async (t) => {
    const server = await httpServer(t, answering(status, status === 206 ? 'v' : 'a video', headers));
    const answer = await clientFor(t, 'http://127.0.0.1').video(server.origin, HEAD);
    if (answer.kind !== 'ok') throw new Error(answer.kind);
    t.equal(answer.status, 200);
    t.strictSame({ ...answer.headers }, expected);
    t.equal((await buffer(answer.body)).length, 0);
    t.match(server.requests[0], { method: 'GET', headers: { range: 'bytes=0-0', 'if-range': undefined } });
  });
}

t.test('[E5] [R03] HEAD of what the host refuses', async (t) => {
  for (const [status, expected] of [
    [403, { kind: 'expired' }],
    [416, { kind: 'unavailable', reason: 'the video host answered 416' }],
  ] as const) {
    const server = await httpServer(t, answering(status));
    t.strictSame(await clientFor(t, 'http://127.0.0.1').video(server.origin, HEAD), expected);
  }
});

const ANSWERS: readonly [number, Record<string, string>, object][] = [
  [416, { 'content-range': 'bytes */5' }, { kind: 'range-not-satisfiable', contentRange: 'bytes */5' }],
  [416, {}, { kind: 'range-not-satisfiable', contentRange: null }],
  [400, {}, { kind: 'expired' }],
  [401, {}, { kind: 'expired' }],
  [403, {}, { kind: 'expired' }],
  [404, {}, { kind: 'expired' }],
  [410, {}, { kind: 'expired' }],
  [500, {}, { kind: 'unavailable', reason: 'the video host answered 500' }],
  [204, {}, { kind: 'unavailable', reason: 'the video host answered 204' }],
];
for (const [status, headers, expected] of ANSWERS) {
  t.test(`case 18: ${status} ${Object.values(headers)}`, async (t) => {
    const server = await httpServer(t, answering(status, status === 204 ? '' : 'words', headers));
    const client = clientFor(t, 'http://127.0.0.1');
    t.strictSame(await client.video(server.origin + SIGNED, GET), expected);
    t.equal(server.requests.length, 1);
  });
}

t.test('[F67] redirects are followed, with the range, a few times', async (t) => {
  const edge = await httpServer(t, answering(206, 'de', { 'content-range': 'bytes 1-2/5' }));
  for (const status of [301, 302, 303, 307, 308]) {
    const server = await httpServer(t, (response, { url }) => {
      const location = url === '/a/v.mp4?sig=1' ? '../b?sig=2' : `${edge.origin}/c?sig=3`;
      response.writeHead(status, { location, 'content-length': '1000' }).write('some');
    });
    const range = { ...GET, range: 'bytes=1-2', ifRange: '"1"' };
    const answer = await clientFor(t, server.origin).video(`${server.origin}/a/v.mp4?sig=1`, range);
    if (answer.kind !== 'ok') throw new Error(`${status}: ${JSON.stringify(answer)}`);
    t.equal((await buffer(answer.body)).toString(), 'de');
    t.same(
      server.requests.map(({ url }) => url),
      ['/a/v.mp4?sig=1', '/b?sig=2'],
    );
    t.match(edge.requests.at(-1), { url: '/c?sig=3', headers: { range: 'bytes=1-2', 'if-range': '"1"' } });
    t.equal(edge.requests.at(-1)?.headers.authorization, undefined);
  }
});

t.test('[F67] a redirect from https to http is not followed, any other between them is', async (t) => {
  const { ca, caFile } = await certificates(t);
  const [key, cert] = ['redis.key', 'redis.pem'].map((name) => readFileSync(join(caFile, '..', name)));
  let location = '';
  const server = createServer({ key, cert }, (request, response) => {
    if (request.url === '/end') response.end('video');
    else response.writeHead(302, { location }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const secure = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const plain = await httpServer(t, (response) => {
    response.writeHead(302, { location: `${secure}/end` }).end();
  });
  const client = clientFor(t, 'http://127.0.0.1', { connectToVideos: buildConnector({ ca }) });
  location = plain.origin;
  const reason = 'the video host redirects from https to http';
  t.strictSame(await client.video(secure, GET), { kind: 'unavailable', reason });
  t.equal(plain.connections, 0);
  location = '/end';
  for (const url of [secure, plain.origin]) {
    const answer = await client.video(url, GET);
    if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer));
    t.equal((await buffer(answer.body)).toString(), 'video');
  }
});

const NOT_FOLLOWED: readonly [string, Record<string, string>, string][] = [
  ['without end', { location: '/again' }, 'the video host redirects more than 3 times'],
  ['nowhere', {}, 'the video host redirects to no http(s) URL'],
  ['to a file', { location: 'file:///etc/passwd' }, 'the video host redirects to no http(s) URL'],
  ['to what is no URL', { location: 'http://[' }, 'the video host redirects to no http(s) URL'],
];
for (const [where, headers, reason] of NOT_FOLLOWED) {
  t.test(`[F67] a host that redirects ${where}`, async (t) => {
    const server = await httpServer(t, answering(302, '', headers));
    const answer = await clientFor(t, server.origin).video(server.origin + SIGNED, GET);
    t.strictSame(answer, { kind: 'unavailable', reason });
    t.equal(server.requests.length, where === 'without end' ? 4 : 1);
  });
}

t.test('[E14] [R14] a type that is no video is left behind', async (t) => {
  for (const [type, passed] of [
    ['application/octet-stream', undefined],
    ['VIDEO/mp4', 'VIDEO/mp4'],
  ]) {
    const server = await httpServer(t, answering(200, 'video', { 'content-type': type ?? '' }));
    const answer = await clientFor(t, server.origin).video(server.origin, GET);
    if (answer.kind !== 'ok') throw new Error(answer.kind);
    t.equal(answer.headers['content-type'], passed);
    await buffer(answer.body);
  }
});

t.test('case 18: no head in time: unavailable, and the connection is let go', async (t) => {
  const server = await rawServer(t, () => {});
  const client = clientFor(t, 'http://127.0.0.1', { videoTimeoutMs: 50 });
  const reason = 'no answer within 50 ms';
  t.strictSame(await client.video(server.origin + SIGNED, GET), { kind: 'unavailable', reason });
  await server.connections[0]?.closed;
  await client.close();
  await server.quiet();
  t.equal(begun(server), 1);
});

const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nsome';
for (const [what, after] of [
  ['stalls', () => {}],
  ['resets', (socket: { resetAndDestroy(): unknown }) => socket.resetAndDestroy()],
] as const) {
  t.test(`case 18: a body that ${what} fails and lets the connection go`, async (t) => {
    const server = await rawServer(
      t,
      whenWhole((socket) => socket.write(head, () => setImmediate(after, socket))),
    );
    const client = clientFor(t, 'http://127.0.0.1', { videoTimeoutMs: 200 });
    const answer = await client.video(server.origin, GET);
    if (answer.kind !== 'ok') throw new Error(answer.kind);
    await t.rejects(buffer(answer.body));
    await server.connections[0]?.closed;
    await client.close();
    await server.quiet();
    t.equal(begun(server), 1);
  });
}

t.test('the caller hangs up: before the head, in the body, and before the call', async (t) => {
  const silent = await rawServer(t, () => {});
  const talking = await rawServer(
    t,
    whenWhole((socket) => void socket.write(head)),
  );
  const client = clientFor(t, 'http://127.0.0.1', { videoTimeoutMs: 120_000 });
  const canceled = { kind: 'unavailable', reason: 'canceled by the caller' };

  const early = new AbortController();
  const waiting = client.video(silent.origin, { method: 'GET', signal: early.signal });
  while (!silent.connections[0]?.text) await new Promise((resolve) => setImmediate(resolve));
  early.abort();
  t.strictSame(await waiting, canceled);
  t.strictSame(await client.video(silent.origin, { method: 'GET', signal: early.signal }), canceled);
  await silent.connections[0].closed;
  t.equal(begun(silent), 1);

  const late = new AbortController();
  const answer = await client.video(talking.origin, { method: 'GET', signal: late.signal });
  if (answer.kind !== 'ok') throw new Error(answer.kind);
  const read = t.rejects(buffer(answer.body));
  late.abort();
  await read;
  await talking.connections[0]?.closed;
  t.equal(begun(talking), 1);
});

t.test('what is no http(s) URL, and nobody there', async (t) => {
  const client = clientFor(t, 'http://127.0.0.1');
  const reason = "the video's URL is not http(s)";
  for (const url of ['', 'v.mp4', 'file:///etc/passwd', 'data:video/mp4;base64,AA']) {
    t.strictSame(await client.video(url, GET), { kind: 'unavailable', reason });
  }
  const nobody = `http://127.0.0.1:${await deadPort()}${SIGNED}`;
  t.strictSame(await client.video(nobody, GET), { kind: 'unavailable', reason: 'connection refused' });
});
