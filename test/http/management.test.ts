/** Health and metrics on a port of their own. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { KEY, tempDir } from '../e2e/support.js';
import { startApp } from '../support/app.js';
import { promised } from '../support/openapi.js';
import { runGateway } from '../support/processes.js';
import { postJson, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const PATHS = ['/livez', '/readyz', '/metrics'];

t.test('health and metrics are there, and nowhere else', async (t) => {
  const app = await startApp(t, { management: { host: '127.0.0.1', port: 0 } });
  const there = String(app.managementUrl);
  for (const path of PATHS) {
    const response = await fetch(there + path);
    t.equal(response.status, 200, path);
    t.equal(response.headers.get('cache-control'), 'no-store');
    await response.arrayBuffer();
    t.match(await (await fetch(app.url + path)).json(), { type: /not-found$/, status: 404 }, path);
  }
  for (const path of ['/avatars', '/docs', '/openapi.json', '/api/v1/tasks/av_1']) {
    t.equal((await fetch(there + path)).status, 404, path);
  }
  const other = await fetch(`${there}/livez`, { method: 'DELETE' });
  t.match(await other.json(), { type: /method-not-allowed$/, status: 405 }, 'errors are problems');
  t.match(await promised(t, await fetch(`${there}/livez`), 'GET', '/livez'), { status: 'alive' });

  await t.test('they are to the last, and say that it stops', async (t) => {
    const held = app.simulator.inject({ on: 'submit', do: { hold: true } });
    const answer = postJson(app.url, URLS);
    await held.met;
    const closed = app.close();
    const ready = await until('it says so', async () => {
      const response = await fetch(`${there}/readyz`);
      return response.status === 503 ? response : null;
    });
    t.match(await ready.json(), { type: /not-ready$/ });
    t.equal((await fetch(`${there}/livez`)).status, 200);
    await t.rejects(fetch(`${app.url}/avatars`), 'nobody is taken in any more');
    held.release();
    t.equal((await answer).status, 202);
    await closed;
    await t.rejects(fetch(`${there}/livez`));
  });
});

t.test('a port that cannot be had is told of', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { code, stderr } = await runGateway([], {
    MODELLIX_API_KEY: KEY,
    DATA_DIR: await tempDir(t),
    // Told otherwise, it listens, and says where, before it fails.
    LOG_LEVEL: 'silent',
    MANAGEMENT_PORT: String(port),
  });
  t.equal(code, 1);
  t.equal(stderr, `avatar-gateway: MANAGEMENT_PORT=${port} is in use on 127.0.0.1\n`);
});
