/** What orchestrators do to a gateway: they ask whether it lives, and stop it while requests still come. */

import { readFile } from 'node:fs/promises';
import t from 'tap';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/read-config.js';
import { livenessUrl } from '../../src/healthcheck.js';
import { runGateway } from '../support/processes.js';
import { until } from '../support/until.js';
import { create, finished, gatewayFor, KEY, settingsFor, simulatorFor, tempDir } from './support.js';

t.setTimeout(600_000);

/** By a connection of its own, as from somebody who was not there before. */
const statusOf = (url: string) =>
  fetch(url, { headers: { connection: 'close' } }).then(
    ({ status }) => status,
    () => 'refused',
  );

t.test('[R22] SHUTDOWN_DELAY_SECONDS: not ready, and served all the same', async (t) => {
  const simulator = await simulatorFor(t);
  const delayMs = 5_000;
  const env = { SHUTDOWN_DELAY_SECONDS: '5', SHUTDOWN_GRACE_SECONDS: '30', DATA_DIR: await tempDir(t) };
  const gateway = await gatewayFor(t, { ...settingsFor(simulator), ...env });
  t.equal(await statusOf(`${gateway.url}/readyz`), 200);
  const asked = performance.now();
  const exited = gateway.stop();
  await until('it says so', async () => ((await statusOf(`${gateway.url}/readyz`)) === 503 ? true : null));
  t.equal(await statusOf(`${gateway.url}/livez`), 200);
  const { id } = await create(t, gateway.url);
  t.match(await finished(gateway.url, id), { status: 'succeeded' }, 'work goes on');
  t.equal(await exited, 0);
  t.ok(performance.now() - asked >= delayMs - 50, 'for as long as it was told');
  t.equal(await statusOf(`${gateway.url}/livez`), 'refused');
});

t.test(
  '[R22] [E22] the health check of the image asks whether it lives, not whether it is ready',
  async (t) => {
    const command = /^HEALTHCHECK .* CMD (\[.*\])$/gm;
    const commands = [...(await readFile('Dockerfile', 'utf8')).matchAll(command)].map(([, args]) => args);
    t.strictSame(commands.at(-1), '["node", "dist/main.js", "healthcheck"]');

    // Without its Redis it is alive and never ready.
    const env = { MODELLIX_API_KEY: KEY, REDIS_URL: 'redis://127.0.0.1:1', DATA_DIR: await tempDir(t) };
    const gateway = await gatewayFor(t, { ...env, HOST: '127.0.0.2' });
    t.equal(await statusOf(`${gateway.url}/readyz`), 503);
    const { port } = new URL(gateway.url);
    const check = (change: Record<string, string>) => runGateway(['healthcheck'], { PORT: port, ...change });
    t.strictSame(await check({ HOST: '127.0.0.2' }), { code: 0, stdout: '', stderr: '' });
    t.match(await check({ HOST: '127.0.0.1' }), { code: 1 }, 'where it does not listen');
  },
);

t.test('[E22] the health check asks where the settings say that it listens', async (t) => {
  const cases: readonly [Record<string, string>, string][] = [
    [{}, 'http://127.0.0.1:8080/livez'],
    [{ HOST: '0.0.0.0', PORT: '80' }, 'http://127.0.0.1:80/livez'],
    [{ HOST: '::' }, 'http://[::1]:8080/livez'],
    [{ HOST: 'localhost' }, 'http://127.0.0.1:8080/livez'],
    [{ HOST: '10.1.2.3' }, 'http://10.1.2.3:8080/livez'],
    [{ HOST: 'fd00::1' }, 'http://[fd00::1]:8080/livez'],
    [{ HOST: '10.1.2.3', MANAGEMENT_PORT: '9000' }, 'http://10.1.2.3:9000/livez'],
    [{ MANAGEMENT_PORT: '9000', MANAGEMENT_HOST: '10.1.2.4' }, 'http://10.1.2.4:9000/livez'],
    [{ MANAGEMENT_PORT: '', MANAGEMENT_HOST: '10.1.2.4', PORT: '' }, 'http://127.0.0.1:8080/livez'],
  ];
  for (const [env, url] of cases) t.equal(livenessUrl(env), url);
});

t.test('[E22] the image listens where its port can be published, once it is told who may call', async (t) => {
  const env = /^ENV (NODE_ENV=production .*)$/m.exec(await readFile('Dockerfile', 'utf8'))?.[1] ?? '';
  const { HOST } = Object.fromEntries(env.split(' ').map((pair) => pair.split('='))) as { HOST: string };
  t.equal(HOST, '0.0.0.0');
  const { code, stderr } = await runGateway([], { MODELLIX_API_KEY: KEY, HOST });
  t.equal(code, 2);
  t.match(stderr, /^avatar-gateway: HOST=0\.0\.0\.0 .*(CLIENTS|CALLERS)_FILE .*ALLOW_ANONYMOUS=true.*\n$/);
});

t.test(
  '[R22] the page on containers: one process for a folder, and the probe that each question wants',
  async (t) => {
    const [, manifest = ''] = /```yaml\n(.*?)```/s.exec(await readFile('docs/containers.md', 'utf8')) ?? [];
    const { replicas, strategy, template } = parse(manifest).spec;
    t.strictSame(
      [replicas, strategy],
      [1, { type: 'Recreate' }],
      'the next one starts when the last has let go of the folder',
    );
    const { terminationGracePeriodSeconds, containers } = template.spec;
    const [{ env, livenessProbe, readinessProbe }] = containers;
    const setting = (wanted: string) =>
      (env as { name: string; value?: string }[]).find(({ name }) => name === wanted)?.value;
    const graceMs = readConfig({ MODELLIX_API_KEY: KEY }).shutdownGraceMs;
    t.ok(terminationGracePeriodSeconds * 1000 > Number(setting('SHUTDOWN_DELAY_SECONDS')) * 1000 + graceMs);
    const port = Number(setting('MANAGEMENT_PORT'));
    t.match(
      [livenessProbe, readinessProbe],
      [{ httpGet: { path: '/livez', port } }, { httpGet: { path: '/readyz', port } }],
    );
  },
);
