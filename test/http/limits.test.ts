/** How many requests a caller may make, on either store and without one. */

import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { WINDOW_MS } from '../../src/http/plugins/limits.js';
import { RequestCounts } from '../../src/store/request-counts.js';
import type { Store } from '../../src/store/store.js';
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

/** Counts together with replicas that answer like this. */
function countedWith(t: Test, count: Store['count']): RequestCounts {
  const counts = new RequestCounts({ count }, WINDOW_MS, () => undefined);
  t.teardown(() => counts.close());
  return counts;
}

/** Two on one Redis, or one that is both. */
async function pair(t: Test, store: (typeof STORES)[number], overrides: AppOverrides) {
  if (store === 'embedded') {
    const { url } = await startApp(t, overrides);
    return [url, url, async () => undefined] as const;
  }
  const redis = await redisUrl(t);
  const [one, other] = await Promise.all([
    startApp(t, { ...overrides, redis }),
    startApp(t, { ...overrides, redis }),
  ]);
  await Promise.all([ready(one.url), ready(other.url)]);
  const client = new Redis(redis.url);
  t.teardown(() => client.disconnect());
  /** Resolves when all replicas together have told of so many. */
  const told = async (name: string, count: number) => {
    const key = `{${redis.prefix}}:hits:${name}`;
    await until('it is told', async () => (Number(await client.hget(key, 'count')) === count ? true : null), {
      everyMs: 1,
    });
  };
  return [one.url, other.url, told] as const;
}

for (const store of STORES) {
  t.test(`[F40] ${store}: each caller has its own limit, at all replicas together`, async (t) => {
    const { file } = await callersFile(t, CALLERS);
    const callers = { kind: 'file', file } as const;
    const [one, other, told] = await pair(t, store, { callers, rateLimitPerMinute: 5 });
    const first = await read(one, keyOf('team-a'));
    t.equal(first.headers.get('ratelimit-policy'), '"caller";q=3;w=60');
    t.match(first.headers.get('ratelimit'), /^"caller";r=2;t=(60|[1-5]?\d)$/);
    t.notOk(first.headers.has('x-ratelimit-limit'));
    await told('caller:team-a', 1);
    const statuses: number[] = [];
    for (const [i, url] of [other, one, other, one].entries()) {
      statuses.push((await read(url, keyOf('team-a'))).status);
      await told('caller:team-a', 2 + i);
    }
    // One replica does not know of what the other has let through since it told it of its own.
    t.strictSame(statuses, store === 'redis' ? [404, 404, 404, 429] : [404, 404, 429, 429]);

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
    for (let i = 0; i < 8; i++) {
      guesses.push(await read(i % 2 === 0 ? one : other, `guess-${i}`));
      await told('address:127.0.0.1', i + 1);
    }
    const last = guesses.at(-1);
    t.strictSame(
      guesses.map(({ status }) => status),
      [401, 401, 401, 401, 401, store === 'redis' ? 401 : 429, 429, 429],
    );
    t.equal(guesses[0]?.headers.get('ratelimit-policy'), '"address";q=5;w=60');
    t.match(await last?.json(), { detail: /came from this address/ });
    t.equal((await read(one, keyOf('team-b'))).status, 404);
    t.equal((await fetch(`${one}/livez`)).headers.get('ratelimit'), null, 'probes are not counted');
  });
}

t.test(
  '[F40] redis: who calls all replicas at once gets in more, until each has told of its own',
  async (t) => {
    const { file } = await callersFile(t, CALLERS);
    const callers = { kind: 'file', file } as const;
    const [one, other, told] = await pair(t, 'redis', { callers, rateLimitPerMinute: 5 });
    const both = async (times: number): Promise<number[]> => {
      const urls = Array.from({ length: times }, () => [one, other]).flat();
      const answers = await Promise.all(urls.map((url) => read(url, keyOf('team-b'))));
      return answers.map(({ status }) => status);
    };
    const first = await both(3);
    await told('caller:team-b', 6);
    const served = [...first, ...(await both(1))].filter((status) => status === 404).length;
    t.ok(served >= 5, `${served} were served`);
    await told('caller:team-b', 8);
    t.strictSame(await both(1), [429, 429], 'of none of them this is more than five');
  },
);

t.test('where replicas cannot count together each counts by itself, or nobody is served', async (t) => {
  const gateway = { read: () => Promise.reject(new Error('it was read')) };
  for (const fails of ['open', 'closed'] as const) {
    const counts = countedWith(t, () => Promise.reject(new Error('a secret')));
    const limits = { requestsPerMinute: 5, counts, fails };
    const server = await serverFor(t, gateway, undefined, { limits });
    t.equal((await server.inject('/avatars/av_1')).statusCode, 500, 'nobody knows yet');
    await until('it is known', async () => (counts.failure === null ? null : true));
    const reading = await server.inject('/avatars/av_1');
    t.equal(reading.statusCode, fails === 'open' ? 500 : 503, fails);
    t.equal(reading.headers.ratelimit, fails === 'open' ? '"address";r=3;t=60' : undefined);
    for (const url of ['/avatars', '/api/v1/kling/kling-avatar']) {
      const making = await server.inject({ method: 'POST', url, payload: URLS });
      t.equal(making.statusCode, fails === 'open' ? 500 : 503, `${fails}: ${url}`);
      t.equal(making.headers['retry-after'], fails === 'open' ? undefined : '2');
      t.notMatch(making.body, /secret/);
    }
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await server.inject('/avatars/av_1')).statusCode);
    t.strictSame(statuses, fails === 'open' ? [500, 429, 429, 429] : [503, 503, 503, 503], 'counted here');
  }
});

t.test('replicas that answer slowly keep nobody waiting', async (t) => {
  const gateway = { read: () => Promise.reject(new Error('it was read')) };
  for (const fails of ['open', 'closed'] as const) {
    const counts = countedWith(t, () => new Promise<never>(() => undefined));
    const limits = { requestsPerMinute: 5, counts, fails };
    const server = await serverFor(t, gateway, undefined, { limits });
    const headers = { 'content-type': 'text/plain' };
    const made = await server.inject({ method: 'POST', url: '/avatars', headers, payload: 'no avatar' });
    t.match([made.statusCode, made.headers.ratelimit], [415, '"address";r=4;t=60'], fails);
    const read = await server.inject('/avatars/av_1');
    t.match([read.statusCode, read.headers.ratelimit], [500, '"address";r=3;t=60'], fails);
  }
});

t.test('Redis that goes away', async (t) => {
  const redis = await startRedis(t);
  const app = await startApp(t, { redis: { url: redis.url, prefix: 'limits' }, rateLimitFails: 'closed' });
  await ready(app.url);
  t.equal((await read(app.url)).status, 404);
  await redis.kill();
  await until('refused, and not for what it asks', async () => {
    const response = await read(app.url);
    const { type, detail } = (await response.json()) as { type: string; detail: string };
    t.match([response.status, type], [503, /:store-unavailable$/]);
    return detail.includes('was not counted') ? true : null;
  });
  t.match(await (await postJson(app.url, URLS)).json(), { type: /:store-unavailable$/ });
  const warnings = app.logLines().filter((line) => line.includes('are counted by this process alone'));
  t.equal(warnings.length, 1);
  t.equal((await fetch(`${app.url}/livez`)).status, 200);
  await redis.start();
  await until('served again', async () => ((await read(app.url)).status === 404 ? true : null));
});

t.test('Redis that hangs', async (t) => {
  const redis = await startRedis(t);
  const app = await startApp(t, { redis: { url: redis.url, prefix: 'limits' }, rateLimitFails: 'closed' });
  await ready(app.url);
  redis.freeze();
  const both = () => Promise.all([postJson(app.url, URLS), read(app.url)]);
  for (const answer of await both()) {
    t.equal(answer.status, 503, 'it is not waited for without end');
    t.equal(answer.headers.get('retry-after'), '2');
    t.match(await answer.json(), { type: /:store-unavailable$/ });
  }
  for (const answer of await both()) {
    t.match(
      await answer.json(),
      { type: /:store-unavailable$/, detail: /was not counted/ },
      'by then it is known',
    );
  }
  t.equal(app.simulator.calls('submit').length, 0);
});
