/** What is sent again, when, and how often. */

import { setTimeout as later } from 'node:timers/promises';
import t from 'tap';
import { type AvatarGatewayClient, createClient, GatewayError } from '../../src/client/index.js';
import { pauseMs } from '../../src/client/retry.js';
import { startApp } from '../support/app.js';
import { portrait, speech, URLS } from '../support/requests.js';
import { breaksOff, hangs, rejection, says, startProxy, startScripted } from './support.js';

t.test('of a gateway', async (t) => {
  const { url, simulator } = await startApp(t);
  const proxy = await startProxy(t, url);
  const client = createClient({ baseUrl: proxy.url });

  await t.test('an avatar whose answers were lost is made once', async (t) => {
    proxy.losing = 2;
    const answers: (string | null)[] = [];
    const files = { image: new Blob([portrait]), sound_file: new Blob([speech]) };
    const made = await client.create(files, {
      onResponse: ({ headers }) => answers.push(headers.get('idempotent-replayed')),
    });
    t.equal(simulator.ledger().length, 1);
    t.equal(made.task_id, simulator.ledger()[0]?.taskId);
    t.strictSame(answers, ['true'], 'and it can be seen that it was made before');

    await client.create(files);
    t.equal(simulator.ledger().length, 2, 'each call has a key of its own');
    await client.create(URLS, { idempotencyKey: 'mine' });
    await client.create(URLS, { idempotencyKey: 'mine' });
    t.equal(simulator.ledger().length, 3);
    t.match(await rejection(client.create({ ...URLS, mode: 'pro' }, { idempotencyKey: 'mine' })), {
      type: 'idempotency-key-reused',
      idempotencyKey: 'mine',
    });
  });

  await t.test('an avatar whose deletion was not confirmed is gone', async (t) => {
    const { id, task_id } = await client.create(URLS);
    simulator.settle(String(task_id), { end: 'success' });
    await client.wait(id);
    proxy.losing = 1;
    await client.delete(id);
    t.equal(proxy.losing, 0, 'an answer was lost');
    t.match(await rejection(client.delete(id)), { status: 404 }, 'what was never there is not there');
  });

  await t.test('a refusal by Modellix is heard at once', async (t) => {
    simulator.inject({ on: 'submit', do: { status: 401 } });
    let answers = 0;
    const error = await rejection(client.create(URLS, { onResponse: () => (answers += 1) }));
    t.match(error, { status: 503, type: 'account-problem' });
    t.equal(answers, 1, 'the avatar has ended: it would be answered alike');
  });
});

const PROBLEM = {
  type: 'urn:avatar-gateway:problem:internal',
  title: 'T',
  detail: 'd',
  instance: '/avatars',
};
type Work = (client: AvatarGatewayClient) => Promise<unknown>;
const work: Readonly<Record<string, Work>> = {
  create: (client) => client.create(URLS),
  check: (client) => client.check(URLS),
  get: (client) => client.get('av_1'),
  page: (client) => client.page(),
  cancel: (client) => client.cancel('av_1'),
  redeliver: (client) => client.redeliver('av_1'),
  video: (client) => client.video('av_1'),
  resolve: (client) => client.resolve('av_1', { made: false }),
};

t.test('what passes is tried again', { jobs: 8 }, async (t) => {
  for (const [name, call] of Object.entries(work)) {
    t.test(name, async (t) => {
      const first = name === 'resolve' ? [says(408), says(429)] : [breaksOff, says(502), says(500, PROBLEM)];
      const server = await startScripted(t, ...first, says(200, {}));
      await call(createClient({ baseUrl: server.url }));
      t.equal(server.requests.length, first.length + 1);
      const keys = new Set(server.requests.map(({ headers }) => headers['idempotency-key']));
      t.equal(keys.size, 1, 'under one key');
      t.match([...keys], [name === 'create' ? /^[0-9a-f]{32}$/ : undefined]);
    });
  }
});

t.test('what does not pass is not', { jobs: 8 }, async (t) => {
  const cases: [name: string, status: number, headers?: Record<string, string>][] = [
    ['create', 409],
    ['create', 422],
    ['get', 404],
    ['get', 503, { 'retry-after': '61' }],
    ['video', 416],
    ['resolve', 500],
    ['resolve', 503],
  ];
  for (const [name, status, headers] of cases) {
    t.test(`${name} ${status}`, async (t) => {
      const server = await startScripted(t, says(status, PROBLEM, headers));
      const error = await rejection(work[name]?.(createClient({ baseUrl: server.url })) ?? Promise.resolve());
      t.match(error, { status, retryAfterMs: headers === undefined ? null : 61_000 });
      t.equal(server.requests.length, 1);
    });
  }
  t.test('resolve without an answer', async (t) => {
    const server = await startScripted(t, breaksOff);
    const client = createClient({ baseUrl: server.url });
    t.match(await rejection(client.resolve('av_1', { made: false })), { name: 'ConnectionError' });
    t.equal(server.requests.length, 1);
  });
});

t.test('no more often than it may be', async (t) => {
  const server = await startScripted(t, says(500, PROBLEM));
  t.match(await rejection(createClient({ baseUrl: server.url, maxRetries: 1 }).get('av_1')), { status: 500 });
  t.equal(server.requests.length, 2);
  t.match(await rejection(createClient({ baseUrl: server.url, maxRetries: 0 }).get('av_1')), { status: 500 });
  t.equal(server.requests.length, 3);
});

t.test('not before Retry-After', async (t) => {
  const date = new Date(Date.now() + 3_000).toUTCString();
  const server = await startScripted(
    t,
    says(503, PROBLEM, { 'retry-after': '1' }),
    says(503, PROBLEM, { 'retry-after': date }),
    says(200),
  );
  await createClient({ baseUrl: server.url }).get('av_1');
  const [first, second, third] = server.requests.map(({ at }) => at);
  // A timer may be early by a millisecond.
  t.ok((second ?? 0) - (first ?? 0) >= 999);
  t.ok(performance.timeOrigin + (third ?? 0) >= Date.parse(date) - 1);
});

t.test('an attempt has its time, and a wait comes on top of it', async (t) => {
  const silent = await startScripted(t, hangs, says(200, { id: 'av_1' }));
  const client = createClient({ baseUrl: silent.url, requestTimeoutMs: 1_000 });
  t.match(await client.get('av_1'), { id: 'av_1' }, 'the next one is answered');
  const half = await startScripted(t, (response) => void response.writeHead(200).write('{'));
  t.match(
    await rejection(createClient({ baseUrl: half.url, requestTimeoutMs: 200, maxRetries: 0 }).get('av_1')),
    {
      name: 'ConnectionError',
      message: 'No answer from the gateway: none within 200 ms',
    },
  );
  const slow = await startScripted(t, async (response, request) => {
    await later(500);
    says(200, { asked: request.headers.prefer })(response, request);
  });
  const patient = createClient({ baseUrl: slow.url, requestTimeoutMs: 200, maxRetries: 0 });
  t.match(await patient.get('av_1', { waitSeconds: 20 }), { asked: 'wait=20' });
  t.match(await patient.create(URLS, { waitSeconds: 20 }), { asked: 'wait=20' });
});

t.test('pauses', async (t) => {
  const told = (retryAfterMs: number | null) =>
    new GatewayError({ status: 429, problem: null, requestId: null, retryAfterMs, idempotencyKey: null });
  const cases: [failures: number, error: unknown, random: number, ms: number][] = [
    [0, new Error(), 0, 250],
    [0, new Error(), 1, 500],
    [3, told(null), 1, 4_000],
    [20, new Error(), 1, 8_000],
    [0, told(7_000), 1, 7_125],
    [0, told(60_000), 0, 60_062.5],
  ];
  for (const [failures, error, random, ms] of cases)
    t.equal(
      pauseMs(failures, error, () => random),
      ms,
    );
});
