/** Queries through real HTTP: faults 11 to 14, as far as the client sees them. */

import t from 'tap';
import { ApiKey } from '../../src/modellix/api-key.js';
import {
  ACCEPTED,
  answering,
  begun,
  clientFor,
  deadPort,
  type HttpServer,
  httpServer,
  KEY,
  query,
  rawServer,
  SECRET,
  SUBMISSION,
  SUBMIT_PATH,
  whenWhole,
} from './support.js';

const task = (data: object) => JSON.stringify({ code: 0, message: 'success', data });

t.test('an unfinished task; two queries share a connection', async (t) => {
  const server = await httpServer(t, answering(200, task({ status: 'processing', task_id: 'task/1?x' })));
  const client = clientFor(t, `${server.origin}/proxy`, { tasksPath: '/api/v1/tasks/' });
  for (let n = 0; n < 2; n += 1) {
    t.strictSame(await query(client, 'task/1?x'), { kind: 'unfinished', status: 'processing' });
    // undici takes a socket up again a turn after it was used.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(server.connections, 1);
  t.equal(server.requests.length, 2);
  const [request] = server.requests;
  t.equal(request?.method, 'GET');
  t.equal(request?.url, '/proxy/api/v1/tasks/task%2F1%3Fx');
  t.match(request?.headers, { authorization: `Bearer ${SECRET}`, 'user-agent': 'avatar-gateway/test' });
});

t.test('what could not be a task id is not asked after', async (t) => {
  const server = await httpServer(t, answering(200, task({ status: 'pending' })));
  const client = clientFor(t, server.origin);
  for (const id of ['', 'a b', '\ud800', 'x'.repeat(257)])
    t.match(await query(client, id), { kind: 'missing' });
  t.equal(server.connections, 0);
});

t.test('case 11: 429 is limited, with the time asked for', async (t) => {
  const body = JSON.stringify({ code: 429, message: 'Rate limit exceeded', data: {} });
  const server = await httpServer(t, answering(429, body, { 'retry-after': '86400' }));
  const outcome = await query(clientFor(t, server.origin));
  t.strictSame(outcome, { kind: 'limited', message: 'Rate limit exceeded', retryAfterMs: 600_000 });
  t.equal(server.requests.length, 1);
});

for (const status of [500, 503, 401, 302]) {
  t.test(`case 12: ${status} is unavailable, one request, the key stays at home`, async (t) => {
    const elsewhere = await httpServer(t, answering(200, task({ status: 'success' })));
    const server = await httpServer(t, answering(status, '', { location: elsewhere.origin }));
    t.match(await query(clientFor(t, server.origin)), { kind: 'unavailable', status });
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
  t.strictSame(await query(client), { kind: 'unavailable', reason: 'no answer within 50 ms' });
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
  t.match(await query(clientFor(t, server.origin)), { kind: 'unavailable' });
  await server.quiet();
  t.equal(server.connections.length, 1);
  const nobody = clientFor(t, `http://127.0.0.1:${await deadPort()}`);
  t.strictSame(
    await query(nobody),
    { kind: 'unavailable', reason: 'connection refused', unsent: true },
    '[B3]',
  );
});

t.test('case 12: an answer over the size limit is unavailable', async (t) => {
  const server: HttpServer = await httpServer(t, answering(200, task({ status: 'x'.repeat(5000) })));
  const client = clientFor(t, server.origin, { maxAnswerBytes: 4096 });
  const reason = 'the answer is over the size limit';
  t.strictSame(await query(client), { kind: 'unavailable', reason });
});

t.test('case 13: 404 is missing', async (t) => {
  const body = JSON.stringify({ code: 404, message: 'Task not found: task-1', data: {} });
  const server = await httpServer(t, answering(404, body));
  const outcome = await query(clientFor(t, server.origin));
  t.strictSame(outcome, { kind: 'missing', message: 'Task not found: task-1' });
});

t.test('case 14: a status word never seen is unfinished, and said', async (t) => {
  const server = await httpServer(t, answering(200, task({ status: 'Rendering\n' })));
  const outcome = await query(clientFor(t, server.origin));
  t.strictSame(outcome, { kind: 'unfinished', status: 'processing', unfamiliarStatus: 'Rendering' });
});

t.test('each call goes with the key that it is given', async (t) => {
  const server = await httpServer(t, answering(200, task({ status: 'pending' })));
  const client = clientFor(t, server.origin);
  await client.query(KEY, 'task-1');
  await client.query(new ApiKey('mx-another-key'), 'task-1');
  t.strictSame(
    server.requests.map(({ headers }) => headers.authorization),
    [`Bearer ${SECRET}`, 'Bearer mx-another-key'],
  );
});

const DATE = 'Wed, 21 Oct 2026 07:28:00 GMT';
const at = (ms: number) => String((Date.parse(DATE) + ms) / 1000);
const RATES: readonly [string, number, Record<string, string>, object][] = [
  [
    'of a good answer',
    200,
    { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '99', 'x-ratelimit-reset': at(42_000) },
    { limit: 100, remaining: 99, resetInMs: 42_000 },
  ],
  [
    'of a refusal',
    429,
    { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': at(1000) },
    { limit: 100, remaining: 0, resetInMs: 1000 },
  ],
  ['of a failure', 503, { 'x-ratelimit-limit': '60' }, { limit: 60, remaining: null, resetInMs: null }],
  ['that are not there', 200, {}, { limit: null, remaining: null, resetInMs: null }],
  [
    'that make no sense',
    200,
    { 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': 'soon' },
    { limit: null, remaining: null, resetInMs: null },
  ],
  ['with a reset long gone', 200, { 'x-ratelimit-reset': '1' }, { resetInMs: 0 }],
  ['with a reset in years', 200, { 'x-ratelimit-reset': at(1e12) }, { resetInMs: 600_000 }],
];
for (const [what, status, headers, expected] of RATES) {
  t.test(`case 11: limits ${what}, by the answer's own clock`, async (t) => {
    const server = await httpServer(t, answering(status, ACCEPTED, { date: DATE, ...headers }));
    const client = clientFor(t, server.origin);
    t.match((await client.query(KEY, 'task-1')).limits, expected);
    t.match(
      (await client.submit(KEY, SUBMISSION, { path: SUBMIT_PATH, traceparent: null })).limits,
      expected,
    );
  });
}

t.test('no answer says nothing of the limits', async (t) => {
  const nobody = clientFor(t, `http://127.0.0.1:${await deadPort()}`);
  const nothing = { limit: null, remaining: null, resetInMs: null };
  t.strictSame((await nobody.query(KEY, 'task-1')).limits, nothing);
  t.strictSame((await nobody.query(KEY, '')).limits, nothing);
  t.strictSame(
    (await nobody.submit(KEY, SUBMISSION, { path: SUBMIT_PATH, traceparent: null })).limits,
    nothing,
  );
});

t.test('a long poll is asked for, and has its time on top of the time-out', async (t) => {
  let answer: (() => void) | undefined;
  const server = await httpServer(t, (response) => {
    answer = () => answering(200, task({ status: 'success' }))(response);
  });
  const client = clientFor(t, server.origin, { longPollMs: 60_000, queryTimeoutMs: 20 });
  const asked = query(client);
  while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
  t.equal(server.requests[0]?.url, '/api/v1/tasks/task-1?wait=true');
  // The time-out alone would have ended it by now: its timer was set before this one.
  await new Promise((resolve) => setTimeout(resolve, 40));
  answer();
  t.match(await asked, { kind: 'success' });

  const short = clientFor(t, server.origin, { longPollMs: 30, queryTimeoutMs: 20 });
  t.strictSame(await query(short), { kind: 'unavailable', reason: 'no answer within 50 ms' });
});

t.test(
  'a query can be cut off: while it is held, before it is sent, and it lets the connection go',
  async (t) => {
    const server = await rawServer(t, () => {});
    const client = clientFor(t, server.origin, { longPollMs: 60_000 });
    const stop = new AbortController();
    const asked = client.query(KEY, 'task-1', stop.signal);
    while (!server.connections[0]?.text) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    const canceled = { kind: 'unavailable', reason: 'canceled' };
    t.strictSame((await asked).outcome, canceled);
    t.strictSame((await client.query(KEY, 'task-1', stop.signal)).outcome, canceled);
    await server.connections[0].closed;
    await client.close();
    await server.quiet();
    t.equal(begun(server), 1);
  },
);

for (const [status, outcome] of [
  [200, 'ok'],
  [401, 'ok'],
  [429, 'ok'],
  [500, 'failed'],
  [503, 'failed'],
] as const) {
  t.test(`a probe that is answered ${status}: ${outcome}`, async (t) => {
    const server = await httpServer(t, answering(status, '{}'));
    t.equal(await clientFor(t, `${server.origin}/proxy`).probe(KEY), outcome);
    t.equal(server.requests.length, 1);
    const [request] = server.requests;
    t.strictSame([request?.method, request?.url], ['GET', '/proxy/api/v1/apikey/validate']);
    t.equal(request?.headers.authorization, `Bearer ${SECRET}`);
  });
}

t.test('a probe of another path, and with nobody there, with no answer, and after the close', async (t) => {
  const server = await httpServer(t, answering(200, '{}'));
  const client = clientFor(t, server.origin, { probePath: '/health' });
  t.equal(await client.probe(KEY), 'ok');
  t.equal(server.requests[0]?.url, '/health');
  await client.close();
  t.equal(await client.probe(KEY), 'unreachable');
  t.equal(server.requests.length, 1);
  t.equal(await clientFor(t, `http://127.0.0.1:${await deadPort()}`).probe(KEY), 'unreachable', '[B3]');
  const silent = await rawServer(t, () => {});
  t.equal(await clientFor(t, silent.origin, { queryTimeoutMs: 20 }).probe(KEY), 'failed');
});

t.test('options that could never work are refused by name, without their value', async (t) => {
  const wrong: readonly [object, string][] = [
    [{ baseUrl: 'ftp://secret.example' }, 'baseUrl: must be an http(s) URL'],
    [{ baseUrl: 'http://user:secret@h' }, 'baseUrl: must not hold user info, a query or a fragment'],
    [{ probePath: 'secret' }, 'probePath: must be a path that begins with /'],
    [{ tasksPath: '' }, 'tasksPath: must be a path that begins with /'],
  ];
  for (const [options, message] of wrong) {
    t.throws(() => clientFor(t, 'http://127.0.0.1', options), new TypeError(message));
  }
});
