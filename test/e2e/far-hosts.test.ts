/** How long one address of a host may take to connect before the next is tried. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { clientOf } from '../store/fixtures-redis.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { gatewayFor, postExample, settingsFor, simulatorFor, tempDir } from './support.js';

t.setTimeout(300_000);

/** Below what is given, and far above Node's 250 ms. */
const LEAST_MS = 1500;
const preload = './test/e2e/two-addresses.mjs';

/** Listens, and then sleeps: the system takes two connections for it and leaves every other without an answer. */
const ASLEEP = `require('node:net').createServer().listen(
  { port: Number(process.argv[1]), host: '::1', backlog: 1 },
  () => {
    require('node:fs').writeSync(1, 'listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
)`;

/** A port of ::1 answers nobody, as a far or dead host would. */
async function silence(t: Test, port: number): Promise<void> {
  const child = spawn(process.execPath, ['-e', ASLEEP, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  for (let n = 0; n < 2; n += 1) {
    const place = connect(port, '::1').on('error', () => {});
    t.teardown(() => void place.destroy());
    await once(place, 'connect');
  }
}

t.test('[R12] Modellix and Redis: an address has seconds, not a quarter of one', async (t) => {
  const simulator = await simulatorFor(t);
  const redis = await startRedis(t);
  await silence(t, simulator.port);
  await silence(t, redis.port);
  const settings = {
    ...settingsFor(simulator),
    MODELLIX_BASE_URL: `http://modellix.far.test:${simulator.port}`,
    REDIS_URL: `redis://redis.far.test:${redis.port}`,
    DATA_DIR: await tempDir(t),
  };
  const gateway = await gatewayFor(t, settings, { preload });
  const isReady = async () => (await fetch(`${gateway.url}/readyz`)).status === 200 || null;
  await until('it is ready', isReady);

  let since = performance.now();
  const submitted = simulator.nextCall('submit');
  t.equal((await postExample(gateway.url)).status, 202);
  await submitted;
  t.ok(performance.now() - since > LEAST_MS, 'Modellix');

  const admin = clientOf(t, redis.url);
  const own = await admin.client('ID');
  const others = async () => {
    const list = String(await admin.client('LIST', 'TYPE', 'NORMAL'));
    return list.split('\n').filter((line) => line !== '' && !line.startsWith(`id=${own} `)).length;
  };
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
  since = performance.now();
  await until('it is connected again', async () => (await others()) > 0 || null);
  t.ok(performance.now() - since > LEAST_MS, 'Redis');
});
