/** Faults 3 to 9: what a submit comes to by what Modellix answered, seen through real HTTP. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { ApiKey } from '../../src/modellix/api-key.js';
import {
  ACCEPTED,
  answering,
  BODY,
  clientFor,
  httpServer,
  KEY,
  LARGE_SUBMISSION,
  query,
  rawServer,
  SECRET,
  SUBMISSION,
  SUBMIT_PATH,
  submit,
  whenWhole,
} from './support.js';

t.test('an accepted submit: the task, and exactly what was sent', async (t) => {
  const server = await httpServer(t, answering(200, ACCEPTED));
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { outcome } = await clientFor(t, server.origin).submit(KEY, SUBMISSION, {
    path: SUBMIT_PATH,
    traceparent,
  });
  t.strictSame(outcome, { kind: 'accepted', taskId: 'task-avatar001' });
  t.equal(server.requests.length, 1);
  const [request] = server.requests;
  t.equal(request?.method, 'POST');
  t.equal(request?.url, SUBMIT_PATH);
  t.equal(request?.body, BODY);
  t.strictSame(request?.headers, {
    host: server.origin.slice('http://'.length),
    connection: 'keep-alive',
    authorization: `Bearer ${SECRET}`,
    accept: 'application/json',
    'user-agent': 'avatar-gateway/test',
    'content-type': 'application/json',
    'content-length': String(BODY.length),
    traceparent,
  });
});

t.test('a traceparent that is none is left out, and does not keep the submit from leaving', async (t) => {
  const server = await httpServer(t, answering(200, ACCEPTED));
  const context = { path: SUBMIT_PATH, traceparent: 'x\r\nevil: 1' };
  const { outcome } = await clientFor(t, server.origin).submit(KEY, SUBMISSION, context);
  t.match(outcome, { kind: 'accepted' });
  t.notOk('traceparent' in (server.requests[0]?.headers ?? {}));
});

t.test('a path in the base URL is kept', async (t) => {
  const server = await httpServer(t, answering(200, ACCEPTED));
  await submit(clientFor(t, `${server.origin}/proxy/`));
  t.equal(server.requests[0]?.url, `/proxy${SUBMIT_PATH}`);
});

const refusal = (status: number) =>
  JSON.stringify({ code: status, message: 'Invalid parameters: image', data: {} });

for (const [number, statuses] of [
  [3, [500, 502, 503, 504]],
  [4, [408, 409, 425]],
] as const) {
  for (const status of statuses) {
    t.test(`case ${number}: ${status} is unknown, one request`, async (t) => {
      const server = await httpServer(t, answering(status, refusal(status), { 'retry-after': '0' }));
      const outcome = await submit(clientFor(t, server.origin));
      t.strictSame(outcome, { kind: 'unknown', status, reason: `Modellix answered ${status}` });
      t.equal(server.requests.length, 1);
      t.equal(server.connections, 1);
    });
  }
}

const RESET = {
  date: 'Wed, 21 Oct 2026 07:28:00 GMT',
  'x-ratelimit-reset': String(Date.UTC(2026, 9, 21, 7, 28, 30) / 1000),
};
const RATE = 'Rate limit exceeded: 100 requests a minute';
const SLOTS = 'Concurrent limit exceeded';
const LIMITS: readonly [string, Record<string, string>, string, 'calls' | 'tasks', number | null][] = [
  ['without a time', {}, RATE, 'calls', null],
  ['with Retry-After', { 'retry-after': '7' }, RATE, 'calls', 7000],
  ['with a reset time', RESET, RATE, 'calls', 30_000],
  ['for unfinished tasks', {}, SLOTS, 'tasks', null],
  ['for unfinished tasks, spelled otherwise', {}, 'CONCURRENT LIMIT EXCEEDED: 3 tasks', 'tasks', null],
  ['for unfinished tasks, with Retry-After', { 'retry-after': '7', ...RESET }, SLOTS, 'tasks', 7000],
  ['for unfinished tasks, with the reset time of the calls', RESET, SLOTS, 'tasks', null],
];
for (const [how, headers, message, limit, retryAfterMs] of LIMITS) {
  t.test(`case 5: 429 ${how} is a refusal, one request`, async (t) => {
    const body = JSON.stringify({ code: 429, message, data: {} });
    const server = await httpServer(t, answering(429, body, headers));
    const outcome = await submit(clientFor(t, server.origin));
    const reason = limit === 'tasks' ? 'parallel' : null;
    t.strictSame(outcome, { kind: 'refused', status: 429, message, reason, limit, retryAfterMs });
    t.strictSame(JSON.parse(JSON.stringify(outcome)), outcome, 'it survives the spool');
    t.equal(server.requests.length, 1);
  });
}

t.test('case 5: a 429 in no words of theirs is about calls', async (t) => {
  const server = await httpServer(t, answering(429, '<html>Too many concurrent users</html>', RESET));
  t.match(await submit(clientFor(t, server.origin)), { limit: 'calls', retryAfterMs: 30_000 });
});

for (const [number, statuses] of [
  [6, [400, 404, 405, 413, 415, 422]],
  [7, [401, 402, 403]],
] as const) {
  for (const status of statuses) {
    t.test(`case ${number}: ${status} is a refusal in their words, one request`, async (t) => {
      const server = await httpServer(t, answering(status, refusal(status), { 'retry-after': '5' }));
      const outcome = await submit(clientFor(t, server.origin));
      const message = 'Invalid parameters: image';
      const reason = status === 402 ? 'arrears' : null;
      t.strictSame(outcome, { kind: 'refused', status, message, reason, limit: null, retryAfterMs: null });
      t.equal(server.requests.length, 1);
    });
  }
}

t.test('case 6: a refusal while the body is still on its way is taken', async (t) => {
  const body = refusal(413);
  const head = `HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`;
  const early = (socket: Socket) => {
    socket.once('data', () => {
      socket.pause(); // reads no more for now: the client cannot have sent all of it
      socket.write(head + body);
    });
  };
  const server = await rawServer(t, () => {}, early);
  const outcome = await submit(clientFor(t, server.origin), LARGE_SUBMISSION);
  t.match(outcome, { kind: 'refused', status: 413, message: 'Invalid parameters: image' });
  for (const { socket } of server.connections) socket.resume();
  await server.quiet();
  t.equal(server.connections.length, 1);
});

t.test('case 7: a message that repeats the key does not show it, whichever key it is', async (t) => {
  const server = await httpServer(t, (response, { headers }) => {
    const message = `Authentication failed: ${headers.authorization?.slice('Bearer '.length)} is wrong`;
    answering(401, JSON.stringify({ code: 401, message, data: {} }))(response);
  });
  const client = clientFor(t, server.origin);
  for (const key of [KEY, new ApiKey('mx-another-key')]) {
    const { outcome } = await client.submit(key, SUBMISSION, { path: SUBMIT_PATH, traceparent: null });
    t.match(outcome, { kind: 'refused', message: 'Authentication failed: [key] is wrong' });
  }
});

const envelope = (change: object) => JSON.stringify({ ...JSON.parse(ACCEPTED), ...change });
const USELESS: readonly [string, string][] = [
  ['is not JSON', '<html>ok</html>'],
  ['is empty', ''],
  ['is JSON but no object', '["task-1"]'],
  ['has a code that is not 0', envelope({ code: 500 })],
  ['has a code that is a string', envelope({ code: '0' })],
  ['has no data', envelope({ data: null })],
  ['has no task_id', envelope({ data: { status: 'pending' } })],
  ['has an empty task_id', envelope({ data: { task_id: '' } })],
  ['has a task_id of another type', envelope({ data: { task_id: 17 } })],
  ['has a task_id that cannot be asked after', envelope({ data: { task_id: 'täsk 1' } })],
  ['has a task_id of 257 characters', envelope({ data: { task_id: 'x'.repeat(257) } })],
];
for (const [what, body] of USELESS) {
  t.test(`case 8: a 200 that ${what} is unknown, one request`, async (t) => {
    const server = await httpServer(t, answering(200, body));
    const outcome = await submit(clientFor(t, server.origin));
    t.match(outcome, { kind: 'unknown', status: 200 });
    t.equal(server.requests.length, 1);
  });
}

t.test('case 8: a 204 is unknown', async (t) => {
  const server = await httpServer(t, answering(204));
  t.match(await submit(clientFor(t, server.origin)), { kind: 'unknown', status: 204 });
  t.equal(server.requests.length, 1);
});

const CUT: readonly [string, string][] = [
  ['by its content-length', `HTTP/1.1 200 OK\r\ncontent-length: ${ACCEPTED.length + 1}\r\n\r\n${ACCEPTED}`],
  ['in a chunk', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n${ACCEPTED}`],
  ['without a length', `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${ACCEPTED.slice(0, -3)}`],
];
for (const [how, answer] of CUT) {
  t.test(`case 8: a 200 cut short ${how} is unknown, one request`, async (t) => {
    const server = await rawServer(
      t,
      whenWhole((socket) => socket.end(answer)),
    );
    const outcome = await submit(clientFor(t, server.origin));
    t.match(outcome, { kind: 'unknown', status: 200 });
    await server.quiet();
    t.equal(server.connections.length, 1);
  });
}

for (const status of [200, 400]) {
  t.test(`case 8: a ${status} over the size limit is unknown, and not read to its end`, async (t) => {
    const server = await rawServer(
      t,
      whenWhole((socket) => {
        socket.write(`HTTP/1.1 ${status} X\r\ntransfer-encoding: chunked\r\n\r\n`);
        const more = () => {
          if (!socket.destroyed) socket.write(`400\r\n${'x'.repeat(0x400)}\r\n`, () => setImmediate(more));
        };
        more();
      }),
    );
    const outcome = await submit(clientFor(t, server.origin, { maxAnswerBytes: 4096 }));
    t.strictSame(outcome, { kind: 'unknown', status, reason: 'the answer is over the size limit' });
    await server.quiet();
    t.equal(server.connections.length, 1);
  });
}

for (const status of [300, 301, 302, 303, 307, 308]) {
  t.test(`case 9: ${status} is not followed and is unknown; the key stays at home`, async (t) => {
    const elsewhere = await httpServer(t, answering(200, ACCEPTED));
    const server = await httpServer(t, answering(status, ACCEPTED, { location: `${elsewhere.origin}/x` }));
    const outcome = await submit(clientFor(t, server.origin));
    t.strictSame(outcome, { kind: 'unknown', status, reason: `Modellix answered ${status}` });
    t.equal(server.requests.length, 1);
    t.equal(elsewhere.connections, 0);
  });
}

t.test('close lets a submit finish, takes no new one, and may be called twice', async (t) => {
  const server = await rawServer(t, () => {});
  const client = clientFor(t, server.origin);
  const outcome = submit(client);
  while (server.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const [connection] = server.connections;
  if (connection === undefined) throw new Error('no connection');
  if (connection.text === '') await once(connection.socket, 'data');
  const closed = client.close();
  t.equal(client.close(), closed);
  t.strictSame(await submit(client), { kind: 'not-sent', reason: 'the client is closed' });
  t.match(await query(client), { kind: 'unavailable' });
  connection.socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${ACCEPTED.length}\r\n\r\n${ACCEPTED}`);
  t.match(await outcome, { kind: 'accepted' });
  await closed;
  t.equal(server.connections.length, 1);
});
