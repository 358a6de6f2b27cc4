/** Hosts that stall, reset, lie or never end; and callers that hang up. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners, once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { failed, fetcherFor, httpServer, letGo, listen, rawServer } from './support.js';

const MAX = 1000;
const LATE = failed('not complete within 0.2 s');
const CUT = failed('the answer was cut short');
const CLOSED = failed('the host closed the connection');
const GARBLED = failed('the answer is no valid HTTP, or was cut short');
const RESET = failed('connection reset');

const OK = 'HTTP/1.1 200 OK\r\n';
const reset = (socket: Socket) => socket.resetAndDestroy();

/** One byte after the other without an end, at the pace of the event loop's timers. */
function drip(socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 5);
  socket.once('close', () => clearInterval(timer));
}

const HOSTS: readonly (readonly [what: string, act: (socket: Socket) => unknown, expected: object])[] = [
  ['says nothing', () => {}, LATE],
  ['stops in its head', (socket) => socket.write(`${OK}content-le`), LATE],
  ['drips its head', (socket) => drip(socket.setNoDelay(), '1') ?? socket.write(`${OK}a: `), LATE],
  ['says for ever that it goes on', (socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'), LATE],
  ['stops after its head', (socket) => socket.write(`${OK}content-length: 10\r\n\r\n`), LATE],
  ['stops in its body', (socket) => socket.write(`${OK}content-length: 10\r\n\r\n12345`), LATE],
  [
    'stops between chunks',
    (socket) => socket.write(`${OK}transfer-encoding: chunked\r\n\r\n1\r\na\r\n`),
    LATE,
  ],
  [
    'drips its body',
    (socket) => socket.write(`${OK}content-length: 1000\r\n\r\n`) && drip(socket, 'x'),
    LATE,
  ],
  ['hangs up at once', (socket) => socket.end(), CLOSED],
  ['resets at once', reset, RESET],
  ['hangs up in its head', (socket) => socket.end(`${OK}content-le`), CLOSED],
  ['hangs up in its body', (socket) => socket.end(`${OK}content-length: 10\r\n\r\n12345`), CLOSED],
  [
    'hangs up in its body, as announced',
    (socket) => socket.end(`${OK}connection: close\r\ncontent-length: 10\r\n\r\n12345`),
    CUT,
  ],
  ['hangs up in a chunk', (socket) => socket.end(`${OK}transfer-encoding: chunked\r\n\r\n5\r\n123`), CLOSED],
  [
    'hangs up in a chunk, as announced',
    (socket) => socket.end(`${OK}connection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\n123`),
    GARBLED,
  ],
  [
    'hangs up before the last chunk, as announced',
    (socket) => socket.end(`${OK}connection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n`),
    GARBLED,
  ],
  [
    'hangs up in a range',
    (socket) =>
      socket.end('HTTP/1.1 206 OK\r\nconnection: close\r\ncontent-range: bytes 0-9/10\r\n\r\n12345'),
    failed('the answer is not as long as it says'),
  ],
  ['gives two lengths', (socket) => socket.end(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\n12`), {}],
  ['speaks another protocol', (socket) => socket.end('220 smtp ready\r\n'), GARBLED],
  ['speaks nonsense', (socket) => socket.end(Buffer.alloc(100, 0xff)), GARBLED],
  [
    'has a head without end',
    (socket) => socket.write(`${OK}a: ${'b'.repeat(100_000)}`),
    failed("the answer's head is too large"),
  ],
  [
    'switches protocols',
    (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'),
    {},
  ],
];
for (const [what, act, expected] of HOSTS) {
  t.test(`a host that ${what}`, async (t) => {
    const server = await rawServer(t, act);
    const late = expected === LATE;
    const answer = await fetcherFor(t, late ? { timeoutMs: 200 } : {}).fetch(server.origin, MAX);
    t.match(answer, { kind: 'unreachable', ...expected });
    t.comment(JSON.stringify(answer));
    await letGo(server);
    t.equal(server.sockets.length, 1, 'one connection');
  });
}

for (const [framing, head, chunk] of [
  ['chunked', 'transfer-encoding: chunked', '1000\r\n'.concat('x'.repeat(4096), '\r\n')],
  ['closing', 'connection: close', 'x'.repeat(4096)],
] as const) {
  t.test(`a body without end is cut off at the limit: ${framing}`, async (t) => {
    const server = await rawServer(t, (socket) => {
      socket.write(`${OK}${head}\r\n\r\n`);
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', more);
      more();
    });
    const answer = await fetcherFor(t).fetch(server.origin, 10_000);
    t.strictSame(answer, { kind: 'too-large', bytes: 10_001 });
    await letGo(server);
  });

  t.test(`a reset is no end of a body: ${framing}`, async (t) => {
    const server = await rawServer(t, (socket) => void socket.write(`${OK}${head}\r\n\r\n${chunk}`));
    // Not before the bytes ahead of it have been read, since it may do away with them.
    const hear = () => server.sockets[0]?.resetAndDestroy();
    subscribe('undici:request:bodyChunkReceived', hear);
    t.teardown(() => unsubscribe('undici:request:bodyChunkReceived', hear));
    t.strictSame(await fetcherFor(t).fetch(server.origin, 10_000), RESET);
  });
}

t.test('bytes after the file are none of it', async (t) => {
  const server = await rawServer(t, (socket) =>
    socket.write(`${OK}content-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n`),
  );
  t.strictSame(await fetcherFor(t).fetch(server.origin, MAX), { kind: 'bytes', bytes: Buffer.from('abc') });
  await letGo(server);
  t.equal(server.sockets.length, 1);
});

t.test('the deadline is for all redirects together', async (t) => {
  const server = await httpServer(t, (response) => {
    const timer = setTimeout(() => response.writeHead(302, { location: '/' }).end(), 120);
    response.once('close', () => clearTimeout(timer));
  });
  const fetcher = fetcherFor(t, { timeoutMs: 200, maxRedirects: 100 });
  t.strictSame(await fetcher.fetch(server.origin, MAX), LATE);
  t.ok(server.requests.length <= 2);
});

t.test('nobody there', async (t) => {
  const server = createServer();
  const { origin } = await listen(t, server);
  server.close();
  await once(server, 'close');
  t.strictSame(await fetcherFor(t).fetch(origin, MAX), failed('connection refused'));
});

t.test('the caller hangs up: before the call, in a look-up, before the head, in the body', async (t) => {
  const canceled = failed('canceled');
  const server = await httpServer(t, (response) => void response.end('file'));
  const before = AbortSignal.abort();
  t.strictSame(await fetcherFor(t).fetch(server.origin, MAX, { signal: before }), canceled);

  const naming = new AbortController();
  const lookup = async () => {
    naming.abort();
    return [{ address: '127.0.0.2', family: 4 }];
  };
  const named = `http://a.test:${server.port}`;
  t.strictSame(await fetcherFor(t, { lookup }).fetch(named, MAX, { signal: naming.signal }), canceled);

  // Whoever had connected by then would have been accepted before it.
  t.match(await fetcherFor(t).fetch(server.origin, MAX), { kind: 'bytes' });
  t.equal(server.sockets.length, 1);

  const waiting = new AbortController();
  const silent = await rawServer(t, () => waiting.abort());
  t.strictSame(await fetcherFor(t).fetch(silent.origin, MAX, { signal: waiting.signal }), canceled);
  await letGo(silent);

  const reading = new AbortController();
  const talking = await rawServer(t, (socket) => {
    socket.write(`${OK}content-length: 10\r\n\r\n12345`, () => reading.abort());
  });
  t.strictSame(await fetcherFor(t).fetch(talking.origin, MAX, { signal: reading.signal }), canceled);
  await letGo(talking);
});

t.test('a signal that outlives its fetches holds on to none of them', async (t) => {
  const server = await httpServer(t, (response) => void response.end('file'));
  const controller = new AbortController();
  const fetcher = fetcherFor(t);
  for (let n = 0; n < 3; n += 1) await fetcher.fetch(server.origin, MAX, { signal: controller.signal });
  t.equal(getEventListeners(controller.signal, 'abort').length, 0);
});

t.test('close cuts off what is under way and takes nothing new', async (t) => {
  const closing = failed('the gateway is shutting down');
  const server = await rawServer(t, (socket) => socket.emit('asked'));
  const fetcher = fetcherFor(t);
  const fetching = fetcher.fetch(server.origin, MAX);
  while (server.sockets.length === 0) await new Promise(setImmediate);
  const [socket] = server.sockets;
  if (socket !== undefined) await once(socket, 'asked');
  const closed = fetcher.close();
  t.strictSame(await fetching, closing);
  await closed;
  await letGo(server);
  t.strictSame(await fetcher.fetch(server.origin, MAX), closing);
  await fetcher.close();
  t.equal(server.sockets.length, 1);
});
