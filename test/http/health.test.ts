import t from 'tap';
import { ProblemError } from '../../src/problems.js';
import { SUBMIT_PATHS } from '../simulator/simulator.js';
import { startApp } from '../support/app.js';
import { promised } from '../support/openapi.js';
import { startRedis } from '../support/redis.js';
import { serverFor } from '../support/server.js';
import { until } from '../support/until.js';

t.test('alive and ready', async (t) => {
  const { url, logLines } = await startApp(t);
  const key = {
    id: /^[0-9a-f]{12}$/,
    state: 'ok',
    until: null,
    unfinished_tasks: 0,
    tasks_limit: 1_000_000,
    calls_per_minute_limit: 1_000_000,
  };
  const submit_path = { state: 'ok', path: SUBMIT_PATHS[0], advice: null };
  for (const [path, expected] of [
    ['/livez', { status: 'alive' }],
    ['/readyz', { status: 'ready', breaker: 'closed', submit_path, queued: 0, keys: [key] }],
  ] as const) {
    const response = await fetch(url + path);
    t.equal(response.status, 200);
    t.match(await promised(t, response, 'GET', path), expected);
    t.equal((await fetch(url + path, { method: 'HEAD' })).status, 200);
  }
  t.notMatch(logLines().join('\n'), /livez|readyz/, 'probes do not fill the log');
});

t.test('probes are not limited', async (t) => {
  const { url } = await startApp(t, { rateLimitPerMinute: 1 });
  for (let count = 0; count < 5; count++) t.equal((await fetch(`${url}/livez`)).status, 200);
});

t.test('alive, and not ready, while Redis is away', async (t) => {
  const redis = await startRedis(t);
  const { url } = await startApp(t, { redis: { url: redis.url, prefix: 'health' } });
  const readiness = async (status: number) => {
    const response = await fetch(`${url}/readyz`);
    return response.status === status ? response : null;
  };
  await until('ready', () => readiness(200));

  await redis.kill();
  const response = await until('not ready', () => readiness(503));
  t.match(response.headers.get('retry-after'), /^[1-9]\d*$/);
  t.match(await promised(t, response, 'GET', '/readyz'), {
    type: 'urn:avatar-gateway:problem:not-ready',
    detail: /^The task store cannot be used: Redis cannot be reached/,
  });
  t.equal((await fetch(`${url}/livez`)).status, 200);

  await redis.start();
  await until('ready again', () => readiness(200));
});

t.test('not ready when told to stop, and why', async (t) => {
  const server = await serverFor(t, {
    ready: () => Promise.reject(new ProblemError('not-ready', 'The gateway is stopping.')),
  });
  const { statusCode, body } = await server.inject('/readyz');
  t.equal(statusCode, 503);
  t.match(JSON.parse(body), { detail: 'The gateway is stopping.', instance: '/readyz' });
});
