/** How many requests a caller may make, on either store and without one. */

import t, { type Test } from 'tap';
import { type AppOverrides, startApp } from '../support/app.js';
import { callersFile, keyOf } from '../support/callers.js';
import { bearer } from '../support/directory.js';
import { promised } from '../support/openapi.js';
import { redisUrl, startRedis } from '../support/redis.js';
import { STORES } from '../support/replicas.js';
import { postJson, URLS } from '../support/requests.js';
import { serverFor } from '../support/server.js';
import { until } from '../support/until.js';

const CALLERS = { 'team-a': { requests_per_minute: 3 }, 'team-b': {} };

const ready = (url: string) => until('ready', async () => ((await fetch(`${url}/readyz`)).ok ? true : null));
const read = (url: string, key?: string) =>
  fetch(`${url}/avatars/av_1`, key === undefined ? {} : { headers: bearer(key) });

/** Two on one Redis, or one that is both. */
async function pair(t: Test, store: (typeof STORES)[number], overrides: AppOverrides) {
  const redis = store === 'redis' ? { redis: await redisUrl(t) } : {};
  const one = await startApp(t, { ...overrides, ...redis });
  const other = store === 'redis' ? await startApp(t, { ...overrides, ...redis }) : one;
  await Promise.all([ready(one.url), ready(other.url)]);
  return [one.url, other.url] as const;
}

for (const store of STORES) {
  t.test(`${store}: each caller has its own limit, at all replicas together`, async (t) => {
    const { file } = await callersFile(t, CALLERS);
    const callers = { kind: 'file', file } as const;
    const [one, other] = await pair(t, store, { callers, rateLimitPerMinute: 5 });
    const first = await read(one, keyOf('team-a'));
    t.equal(first.headers.get('ratelimit-policy'), '"caller";q=3;w=60');
    t.match(first.headers.get('ratelimit'), /^"caller";r=2;t=(60|[1-5]?\d)$/);
    t.notOk(first.headers.has('x-ratelimit-limit'));
    t.strictSame(
      [(await read(other, keyOf('team-a'))).status, (await read(one, keyOf('team-a'))).status],
      [404, 404],
    );

    const over = await read(other, keyOf('team-a'));
    t.equal(over.status, 429);
    t.match(over.headers.get('retry-after'), /^([1-9]|[1-5]\d|60)$/);
    t.match(over.headers.get('ratelimit'), /^"caller";r=0;t=\d+$/);
    t.match(await promised(t, over, 'GET', '/avatars/{id}'), {
      type: 'urn:avatar-gateway:problem:rate-limited',
      detail: 'More than 3 requests in a minute came from the caller team-a.',
    });
    const another = await read(other, keyOf('team-b'));
    t.equal(another.status, 404, 'nobody else notices');
    t.equal(another.headers.get('ratelimit-policy'), '"caller";q=5;w=60');

    // Keys are not to be guessed: who has none is counted by address, with right ones aside.
    const guesses = [];
    for (let i = 0; i < 6; i++) guesses.push(await read(i % 2 === 0 ? one : other, `guess-${i}`));
    t.strictSame(
      guesses.map(({ status }) => status),
      [401, 401, 401, 401, 401, 429],
    );
    t.equal(guesses[0]?.headers.get('ratelimit-policy'), '"address";q=5;w=60');
    t.match(await guesses[5]?.json(), { detail: /came from this address/ });
    t.equal((await read(one, keyOf('team-b'))).status, 404);
    t.equal((await fetch(`${one}/livez`)).headers.get('ratelimit'), null, 'probes are not counted');
  });
}

t.test('where nothing can be counted no avatar is made, and the rest is as it is configured', async (t) => {
  const hit = () => Promise.reject(new Error('a secret'));
  const gateway = { read: () => Promise.reject(new Error('it was read')) };
  for (const fails of ['open', 'closed'] as const) {
    const server = await serverFor(t, gateway, undefined, { limits: { requestsPerMinute: 5, hit, fails } });
    const reading = await server.inject('/avatars/av_1');
    t.equal(reading.statusCode, fails === 'open' ? 500 : 503, fails);
    t.equal(reading.headers.ratelimit, undefined);
    for (const url of ['/avatars', '/api/v1/kling/kling-avatar']) {
      const making = await server.inject({ method: 'POST', url, payload: URLS });
      t.equal(making.statusCode, 503, `${fails}: ${url}`);
      t.equal(making.headers['retry-after'], '2');
      t.notMatch(making.body, /secret/);
    }
  }
});

t.test('a slow count refuses nobody: it is waited for where there has to be one', async (t) => {
  const counts: (() => void)[] = [];
  const hit = () =>
    new Promise<{ count: number; leftMs: number }>((resolve) => {
      counts.push(() => resolve({ count: 1, leftMs: 60_000 }));
    });
  const gateway = { read: () => Promise.reject(new Error('it was read')) };
  for (const fails of ['open', 'closed'] as const) {
    const server = await serverFor(t, gateway, undefined, { limits: { requestsPerMinute: 5, hit, fails } });
    const headers = { 'content-type': 'text/plain' };
    const making = server.inject({ method: 'POST', url: '/avatars', headers, payload: 'no avatar' });
    const reading = server.inject('/avatars/av_1');
    // One that needs no count begins to wait last, and is the first to be answered.
    const open = await serverFor(t, gateway, undefined, {
      limits: { requestsPerMinute: 5, hit, fails: 'open' },
    });
    const uncounted = await open.inject('/avatars/av_1');
    t.equal(uncounted.statusCode, 500, `${fails}: it is served without`);
    t.equal(uncounted.headers.ratelimit, undefined);
    for (const count of counts.splice(0)) count();
    const made = await making;
    t.match(
      [made.statusCode, made.headers.ratelimit],
      [415, '"address";r=4;t=60'],
      `${fails}: it is counted late`,
    );
    const read = await reading;
    const ratelimit = fails === 'open' ? undefined : '"address";r=4;t=60';
    t.match([read.statusCode, read.headers.ratelimit], [500, ratelimit], `${fails}: reads`);
  }
});

t.test('Redis that goes away', async (t) => {
  const redis = await startRedis(t);
  const app = await startApp(t, { redis: { url: redis.url, prefix: 'limits' }, rateLimitFails: 'closed' });
  await ready(app.url);
  t.equal((await read(app.url)).status, 404);
  await redis.kill();
  const away = await until('refused', async () => {
    const response = await read(app.url);
    return response.status === 503 ? response : null;
  });
  t.match(await away.json(), { type: /:store-unavailable$/, detail: /was not counted/ });
  t.match(await (await postJson(app.url, URLS)).json(), { type: /:store-unavailable$/ });
  t.equal((await fetch(`${app.url}/livez`)).status, 200);
  await redis.start();
  await until('served again', async () => ((await read(app.url)).status === 404 ? true : null));
});

t.test('Redis that hangs', async (t) => {
  const redis = await startRedis(t);
  const app = await startApp(t, { redis: { url: redis.url, prefix: 'limits' }, rateLimitFails: 'closed' });
  await ready(app.url);
  redis.freeze();
  for (const answer of await Promise.all([postJson(app.url, URLS), read(app.url)])) {
    t.equal(answer.status, 503, 'it is not waited for without end');
    t.equal(answer.headers.get('retry-after'), '2');
    t.match(await answer.json(), { type: /:store-unavailable$/, detail: /was not counted/ });
  }
  t.equal(app.simulator.calls('submit').length, 0);
});
