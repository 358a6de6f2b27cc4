/** Queries through real HTTP: faults 11 to 14, as far as the client sees them. */

import t from 'tap';
import {
  answering,
  begun,
  clientFor,
  deadPort,
  type HttpServer,
  httpServer,
  KEY,
  rawServer,
  whenWhole,
} from './support.js';

const task = (data: object) => JSON.stringify({ code: 0, message: 'success', data });

t.test('an unfinished task; two queries share a connection', async (t) => {
  const server = await httpServer(t, answering(200, task({ status: 'processing', task_id: 'task/1?x' })));
  const client = clientFor(t, `${server.origin}/proxy`, { tasksPath: '/api/v1/tasks/' });
  for (let n = 0; n < 2; n += 1) {
    t.strictSame(await client.query('task/1?x'), { kind: 'unfinished', status: 'processing' });
    // undici takes a socket up again a turn after it was used.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(server.connections, 1);
  t.equal(server.requests.length, 2);
  const [request] = server.requests;
  t.equal(request?.method, 'GET');
  t.equal(request?.url, '/proxy/api/v1/tasks/task%2F1%3Fx');
  t.match(request?.headers, { authorization: `Bearer ${KEY}`, 'user-agent': 'avatar-gateway/test' });
});

t.test('what could not be a task id is not asked after', async (t) => {
  const server = await httpServer(t, answering(200, task({ status: 'pending' })));
  const client = clientFor(t, server.origin);
  for (const id of ['', 'a b', '\ud800', 'x'.repeat(257)])
    t.match(await client.query(id), { kind: 'missing' });
  t.equal(server.connections, 0);
});

t.test('case 11: 429 is limited, with the time asked for', async (t) => {
  const body = JSON.stringify({ code: 429, message: 'Rate limit exceeded', data: {} });
  const server = await httpServer(t, answering(429, body, { 'retry-after': '86400' }));
  const outcome = await clientFor(t, server.origin).query('task-1');
  t.strictSame(outcome, { kind: 'limited', message: 'Rate limit exceeded', retryAfterMs: 600_000 });
  t.equal(server.requests.length, 1);
});

for (const status of [500, 503, 401, 302]) {
  t.test(`case 12: ${status} is unavailable, one request, the key stays at home`, async (t) => {
    const elsewhere = await httpServer(t, answering(200, task({ status: 'success' })));
    const server = await httpServer(t, answering(status, '', { location: elsewhere.origin }));
    t.match(await clientFor(t, server.origin).query('task-1'), { kind: 'unavailable', status });
    t.equal(server.requests.length, 1);
    t.equal(elsewhere.connections, 0);
  });
}

t.test('case 12: no whole answer in time is unavailable, and the connection is let go', async (t) => {
  const server = await rawServer(
    t,
    whenWhole((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
      const timer = setInterval(() => socket.write(' '), 5);
      socket.once('close', () => clearInterval(timer));
    }),
  );
  const client = clientFor(t, server.origin, { queryTimeoutMs: 50 });
  t.strictSame(await client.query('task-1'), { kind: 'unavailable', reason: 'no answer within 50 ms' });
  await server.connections[0]?.closed;
  await client.close();
  await server.quiet();
  // undici's pool connects again after an abort (harmless for a read), but sends nothing there.
  t.equal(begun(server), 1);
});

t.test('case 12: a reset and nobody there are unavailable', async (t) => {
  const server = await rawServer(
    t,
    whenWhole((socket) => void socket.resetAndDestroy()),
  );
  t.match(await clientFor(t, server.origin).query('task-1'), { kind: 'unavailable' });
  await server.quiet();
  t.equal(server.connections.length, 1);
  const nobody = clientFor(t, `http://127.0.0.1:${await deadPort()}`);
  t.strictSame(await nobody.query('task-1'), { kind: 'unavailable', reason: 'connection refused' });
});

t.test('case 12: an answer over the size limit is unavailable', async (t) => {
  const server: HttpServer = await httpServer(t, answering(200, task({ status: 'x'.repeat(5000) })));
  const client = clientFor(t, server.origin, { maxAnswerBytes: 4096 });
  const reason = 'the answer is over the size limit';
  t.strictSame(await client.query('task-1'), { kind: 'unavailable', reason });
});

t.test('case 13: 404 is missing', async (t) => {
  const body = JSON.stringify({ code: 404, message: 'Task not found: task-1', data: {} });
  const server = await httpServer(t, answering(404, body));
  const outcome = await clientFor(t, server.origin).query('task-1');
  t.strictSame(outcome, { kind: 'missing', message: 'Task not found: task-1' });
});

t.test('case 14: a status word never seen is unfinished, and said', async (t) => {
  const server = await httpServer(t, answering(200, task({ status: 'Rendering\n' })));
  const outcome = await clientFor(t, server.origin).query('task-1');
  t.strictSame(outcome, { kind: 'unfinished', status: 'processing', unfamiliarStatus: 'Rendering' });
});

t.test('options that could never work are refused by name, without their value', async (t) => {
  const wrong: readonly [object, string][] = [
    [{ baseUrl: 'ftp://secret.example' }, 'baseUrl: must be an http(s) URL'],
    [{ baseUrl: 'http://user:secret@h' }, 'baseUrl: must not hold user info, a query or a fragment'],
    [{ apiKey: 'secret key' }, 'apiKey: must be visible ASCII characters'],
    [{ submitPath: 'http://secret' }, 'submitPath: must be a path that begins with /'],
    [{ tasksPath: '' }, 'tasksPath: must be a path that begins with /'],
  ];
  for (const [options, message] of wrong) {
    t.throws(() => clientFor(t, 'http://127.0.0.1', options), new TypeError(message));
  }
});
