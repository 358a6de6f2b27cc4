/** Faults 1 and 2: what a submit comes to when the connection fails, before and after a byte was written. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import t from 'tap';
import { Client, type Dispatcher } from 'undici';
import type { ModellixClient } from '../../src/modellix/client.js';
import { exchange } from '../../src/modellix/exchange.js';
import { IDLE_MS, SubmitConnections } from '../../src/modellix/submit-connections.js';
import {
  ACCEPTED,
  BODY,
  begun,
  clientFor,
  deadPort,
  LARGE_SUBMISSION,
  rawServer,
  SECRET,
  submit,
  whenWhole,
} from './support.js';

const reset = (socket: Socket) => void socket.resetAndDestroy();

t.test('case 1: no answer to a whole request is unknown, and the connection is let go', async (t) => {
  const server = await rawServer(t, () => {});
  const client = clientFor(t, server.origin, { submitTimeoutMs: 60 });
  const outcome = await submit(client);
  t.strictSame(outcome, { kind: 'unknown', reason: 'no answer within 60 ms', status: null });
  await server.quiet();
  t.equal(server.connections.length, 1);
  t.equal(begun(server), 1);
});

t.test('case 1: a body that nobody reads is unknown at the deadline', async (t) => {
  const server = await rawServer(
    t,
    () => {},
    (socket) => void socket.pause(),
  );
  const client = clientFor(t, server.origin, { submitTimeoutMs: 100 });
  t.match(await submit(client, LARGE_SUBMISSION), { kind: 'unknown', status: null });
  for (const { socket } of server.connections) socket.resume();
  await server.quiet();
  t.equal(begun(server), 1);
});

t.test('case 1: an answer that trickles does not outlive the deadline', async (t) => {
  const server = await rawServer(
    t,
    whenWhole((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
      const timer = setInterval(() => socket.write(' '), 5);
      socket.once('close', () => clearInterval(timer));
    }),
  );
  const client = clientFor(t, server.origin, { submitTimeoutMs: 80 });
  const outcome = await submit(client);
  t.strictSame(outcome, { kind: 'unknown', reason: 'no answer within 80 ms', status: 200 });
  await server.quiet();
  t.equal(server.connections.length, 1);
});

const RESETS: readonly [string, (socket: Socket, text: string) => void][] = [
  ['after the first bytes of the request', reset],
  ['after the whole request', whenWhole(reset)],
  ['in the status line', whenWhole((socket) => socket.write('HTTP/1.1 20', () => reset(socket)))],
  ['in the head', whenWhole((socket) => socket.write('HTTP/1.1 200 OK\r\nx: 1\r\n', () => reset(socket)))],
  ['by an orderly close without an answer', whenWhole((socket) => socket.end())],
];
for (const [when, act] of RESETS) {
  t.test(`case 2: the connection ends ${when}: unknown, one request`, async (t) => {
    const server = await rawServer(t, act);
    const outcome = await submit(clientFor(t, server.origin));
    t.match(outcome, { kind: 'unknown', status: null });
    await server.quiet();
    t.equal(server.connections.length, 1);
    t.equal(begun(server), 1);
  });
}

t.test('case 2: a reset after the head is unknown even where the status refuses', async (t) => {
  const head = 'HTTP/1.1 400 Bad Request\r\ncontent-length: 500\r\n\r\n{"code":400,';
  const server = await rawServer(
    t,
    whenWhole((socket) => socket.write(head, () => reset(socket))),
  );
  const outcome = await submit(clientFor(t, server.origin));
  t.match(outcome, { kind: 'unknown' });
  await server.quiet();
  t.equal(server.connections.length, 1);
});

t.test('case 2: a reset in a large body is unknown, one request', async (t) => {
  const server = await rawServer(t, reset);
  t.match(await submit(clientFor(t, server.origin), LARGE_SUBMISSION), { kind: 'unknown' });
  await server.quiet();
  t.equal(server.connections.length, 1);
  t.equal(begun(server), 1);
});

t.test('case 2: a reset right after accept is never called unsent if a byte was', async (t) => {
  // Which of the two it is depends on whether the kernel reports the reset before the first write.
  const server = await rawServer(t, () => {}, reset);
  const outcome = await submit(clientFor(t, server.origin));
  t.ok(outcome.kind === 'unknown' || outcome.kind === 'not-sent', outcome.kind);
  await server.quiet();
  t.equal(server.connections.length, 1);
});

t.test('case 2: nobody listens: not sent', async (t) => {
  const client = clientFor(t, `http://127.0.0.1:${await deadPort()}`);
  t.strictSame(await submit(client), { kind: 'not-sent', reason: 'connection refused' });
});

t.test('case 2: a host name that does not exist: not sent', async (t) => {
  const client = clientFor(t, 'http://modellix.invalid', { connectTimeoutMs: 2000 });
  t.match(await submit(client), { kind: 'not-sent' });
});

const NO_TLS: readonly [string, (socket: Socket) => void][] = [
  ['speaks no TLS', (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['resets in the handshake', reset],
  ['never answers the handshake', () => {}],
];
for (const [what, act] of NO_TLS) {
  t.test(`case 2: a server that ${what}: not sent, no second connection`, async (t) => {
    const server = await rawServer(t, () => {}, act);
    const client = clientFor(t, `https://127.0.0.1:${server.port}`, { connectTimeoutMs: 100 });
    t.match(await submit(client), { kind: 'not-sent' });
    await server.quiet();
    t.equal(server.connections.length, 1);
    t.notOk(server.connections.some(({ text }) => text.includes(SECRET)));
  });
}

t.test('case 2: a certificate that is not trusted: not sent', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'modellix-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
  const openssl = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout ${key} -out ${cert}`;
  try {
    execFileSync('openssl', openssl.split(' '), { stdio: 'ignore' });
  } catch {
    t.pass('no openssl here to make a certificate with');
    return;
  }
  let data = 0;
  const server = createTls({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    socket
      .on('error', () => {})
      .on('data', () => {
        data += 1;
      });
  });
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  t.match(await submit(clientFor(t, `https://127.0.0.1:${port}`)), { kind: 'not-sent' });
  t.equal(data, 0);
});

const KEPT = `HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: ${ACCEPTED.length}\r\n\r\n${ACCEPTED}`;

/** After an answer whose connection stayed open. */
async function proven(client: ModellixClient): Promise<ModellixClient> {
  t.match(await submit(client), { kind: 'accepted' });
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 2));
  return client;
}

t.test('a connection has one submit at a time, and the next right after its answer', async (t) => {
  const server = await rawServer(
    t,
    whenWhole((socket) => void socket.write(KEPT)),
  );
  const client = await proven(clientFor(t, server.origin));
  for (let n = 0; n < 3; n += 1) t.match(await submit(client), { kind: 'accepted' });
  t.equal(server.connections.length, 1);
  await Promise.all([submit(client), submit(client), submit(client)]);
  t.equal(server.connections.length, 3);
  t.equal(begun(server), 7);
});

t.test('before a connection was kept open for a moment none is used again', async (t) => {
  const server = await rawServer(
    t,
    whenWhole((socket) => void socket.write(KEPT)),
  );
  const client = clientFor(t, server.origin);
  for (let n = 0; n < 3; n += 1) t.match(await submit(client), { kind: 'accepted' });
  t.equal(server.connections.length, 3);
});

t.test('a connection that lies idle is let go before the other side would close it', async (t) => {
  const server = await rawServer(
    t,
    whenWhole((socket) => void socket.write(KEPT)),
  );
  const client = clientFor(t, server.origin);
  t.match(await submit(client), { kind: 'accepted' });
  const answeredAt = performance.now();
  await server.quiet();
  t.ok(performance.now() - answeredAt >= IDLE_MS / 2, 'it was kept for a moment');
  t.match(await submit(client), { kind: 'accepted' });
  t.equal(server.connections.length, 2);
});

t.test('where connections are closed after an answer without a word, none is used again', async (t) => {
  const server = await rawServer(
    t,
    whenWhole((socket) => void socket.end(KEPT)),
  );
  const client = clientFor(t, server.origin);
  for (let n = 0; n < 20; n += 1) t.match(await submit(client), { kind: 'accepted' });
  t.equal(begun(server), 20, 'each was sent once');
});

t.test('case 2: a connection that ends when it is used again: unknown, and not sent again', async (t) => {
  let requests = 0;
  const server = await rawServer(
    t,
    whenWhole((socket) => {
      requests += 1;
      if (requests === 1) socket.write(KEPT);
      else reset(socket);
    }),
  );
  const client = await proven(clientFor(t, server.origin));
  t.match(await submit(client), { kind: 'unknown' });
  await server.quiet();
  t.equal(server.connections.length, 1);
  t.equal(requests, 2);
});

t.test('a second dispatch by undici is stopped before it writes, and is unknown', async (t) => {
  const aborts: number[] = [];
  const twice = {
    dispatch(_request: unknown, handler: Dispatcher.DispatchHandler) {
      const controller = { aborted: false, paused: false, reason: null, pause() {}, resume() {} };
      handler.onRequestStart?.({ ...controller, abort: () => t.fail('the first goes on') }, {});
      handler.onRequestStart?.({ ...controller, abort: () => void aborts.push(2) }, {});
      return true;
    },
  } as unknown as Dispatcher;
  const limits = { connectTimeoutMs: 1000, answerTimeoutMs: 1000 };
  const result = await exchange(twice, { method: 'POST', path: '/' }, limits);
  const reason = 'undici dispatched it a second time';
  t.strictSame(result, { kind: 'no-answer', sent: true, status: null, reason });
  t.strictSame(aborts, [2]);
});

t.test('a connection that is gone before the first byte is not made again', async (t) => {
  let connects = 0;
  const client = new Client('http://127.0.0.1', {
    connect(_options, callback) {
      connects += 1;
      // Not in this turn: undici would try again in a loop that lets nothing else happen.
      setImmediate(callback, null, new Socket().destroy());
    },
  });
  t.teardown(() => client.destroy());
  const limits = { connectTimeoutMs: 200, answerTimeoutMs: 200 };
  const result = await new SubmitConnections(() => client).exchange(
    () => ({ method: 'POST', path: '/', body: BODY }),
    limits,
  );
  const reason = 'the other side closed the connection';
  t.strictSame(result, { kind: 'no-answer', sent: false, status: null, reason });
  t.equal(connects, 1);
});
