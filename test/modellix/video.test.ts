/** Fault 18: the video host is slow, resets, or has nothing; and the key never goes to it. */

import { buffer } from 'node:stream/consumers';
import t from 'tap';
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

t.test('HEAD', async (t) => {
  const server = await httpServer(t, answering(200, '', { 'content-length': '1000' }));
  const client = clientFor(t, 'http://127.0.0.1');
  const answer = await client.video(server.origin, { method: 'HEAD', signal });
  if (answer.kind !== 'ok') throw new Error(answer.kind);
  t.equal(answer.headers['content-length'], '1000');
  t.equal((await buffer(answer.body)).length, 0);
  t.equal(server.requests[0]?.method, 'HEAD');
});

const ANSWERS: readonly [number, Record<string, string>, object][] = [
  [416, { 'content-range': 'bytes */5' }, { kind: 'range-not-satisfiable', contentRange: 'bytes */5' }],
  [416, {}, { kind: 'range-not-satisfiable', contentRange: null }],
  [403, {}, { kind: 'gone' }],
  [404, {}, { kind: 'gone' }],
  [410, {}, { kind: 'gone' }],
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

t.test('case 18: a redirect is not followed', async (t) => {
  const elsewhere = await httpServer(t, answering(200, 'video'));
  const server = await httpServer(t, answering(302, '', { location: elsewhere.origin }));
  const answer = await clientFor(t, server.origin).video(server.origin + SIGNED, GET);
  const reason = 'the video host answered 302 (a redirect is not followed)';
  t.strictSame(answer, { kind: 'unavailable', reason });
  t.equal(elsewhere.connections, 0);
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
