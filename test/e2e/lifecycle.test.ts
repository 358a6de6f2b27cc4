/** How the process starts, refuses to start, and ends. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Ended, runGateway } from '../support/processes.js';
import { until } from '../support/until.js';
import { create, gatewayFor, KEY, postExample, settingsFor, simulatorFor, tempDir } from './support.js';

t.setTimeout(600_000);

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
const SECRET = 'sk-do-not-show-me';

/** It ended by itself, said one line on stderr that matches, and nothing else. */
function refused(t: Test, { code, stdout, stderr }: Ended, line: RegExp, expected: 1 | 2 = 2): void {
  t.equal(code, expected, 'exit code');
  t.match(stderr, new RegExp(`^avatar-gateway: .*${line.source}.*\\n$`), 'one line');
  t.equal(stdout, '', 'nothing on stdout');
  t.notMatch(stderr, SECRET);
}

t.test('--help names every setting and command, and exits 0', async (t) => {
  const { code, stdout, stderr } = await runGateway(['--help'], {});
  t.equal(code, 0);
  t.equal(stderr, '');
  t.match(stdout, /^avatar-gateway \d.*\n\nUsage: avatar-gateway/);
  t.match(stdout, / {2}MODELLIX_API_KEY +\S.*\n.* {2}REDIS_URL /s);
  t.match(stdout, / {2}create .*\n.* {2}watch .*\n.* {2}AVATAR_GATEWAY_URL /s);
});

t.test('--version prints the version and exits 0', async (t) => {
  t.strictSame(await runGateway(['--version'], {}), { code: 0, stdout: `${version}\n`, stderr: '' });
});

t.test('an argument that is unknown, or too much, is refused', async (t) => {
  refused(t, await runGateway(['--prot=8080'], { MODELLIX_API_KEY: KEY }), /--prot/);
  refused(t, await runGateway(['start'], { MODELLIX_API_KEY: KEY }), /start/);
});

t.test('no key: says which variable is missing', async (t) => {
  refused(t, await runGateway([], {}), /MODELLIX_API_KEY is not set/);
});

t.test('a wrong setting: one line names it and shows no secret', async (t) => {
  // test/config.test.ts has the others.
  const wrong: readonly [Record<string, string>, RegExp][] = [
    [{ PORT: 'eighty' }, /PORT=eighty must be a whole number/],
    [{ REDIS_URL: `redis://:${SECRET}@redis.test:port` }, /REDIS_URL is not a URL/],
    [{ HOST: '0.0.0.0' }, /HOST=0\.0\.0\.0 .*ALLOW_ANONYMOUS/],
  ];
  for (const [setting, line] of wrong) {
    refused(t, await runGateway([], { MODELLIX_API_KEY: KEY, ...setting }), line);
  }
});

t.test('a secret in a file: used where it is there, and named where it is not', async (t) => {
  const dir = await tempDir(t);
  const file = join(dir, 'key');
  await writeFile(file, `${KEY}\n`);
  const missing = await runGateway([], { MODELLIX_API_KEY_FILE: join(dir, SECRET) });
  refused(t, missing, /MODELLIX_API_KEY_FILE names a file that cannot be read \(ENOENT\)/);
  const both = await runGateway([], { MODELLIX_API_KEY: SECRET, MODELLIX_API_KEY_FILE: file });
  refused(t, both, /MODELLIX_API_KEY and MODELLIX_API_KEY_FILE are both set/);

  const simulator = await simulatorFor(t);
  const { MODELLIX_API_KEY: _, ...settings } = settingsFor(simulator);
  const gateway = await gatewayFor(t, {
    ...settings,
    MODELLIX_API_KEY_FILE: file,
    DATA_DIR: join(dir, 'data'),
  });
  t.equal((await create(t, gateway.url)).status, 'pending');
  t.strictSame(
    simulator.calls('submit').map(({ key }) => key),
    [KEY],
  );
});

t.test('what it needs is taken: one line says what', async (t) => {
  const dir = await tempDir(t);
  const gateway = await gatewayFor(t, { MODELLIX_API_KEY: KEY, DATA_DIR: join(dir, 'first') });
  const { port } = new URL(gateway.url);
  const portInUse = await runGateway([], {
    MODELLIX_API_KEY: KEY,
    DATA_DIR: join(dir, 'second'),
    PORT: port,
  });
  refused(t, portInUse, new RegExp(`PORT=${port} is in use on 127\\.0\\.0\\.1`), 1);

  const dirInUse = await runGateway([], { MODELLIX_API_KEY: KEY, DATA_DIR: join(dir, 'first') });
  refused(t, dirInUse, /data directory .*first.* is in use by another process/, 1);
  t.equal((await fetch(`${gateway.url}/readyz`)).status, 200, 'and the one that has both goes on');

  await writeFile(join(dir, 'file'), '');
  const notADir = await runGateway([], { MODELLIX_API_KEY: KEY, DATA_DIR: join(dir, 'file') });
  refused(t, notADir, /data directory .*file.* cannot be opened/, 1);
});

t.test('an address that is not of this machine: one line says so', async (t) => {
  const env = {
    MODELLIX_API_KEY: KEY,
    DATA_DIR: await tempDir(t),
    HOST: '192.0.2.1',
    ALLOW_ANONYMOUS: 'true',
  };
  refused(t, await runGateway([], env), /cannot listen on HOST=192\.0\.2\.1 .*EADDRNOTAVAIL/, 1);
});

t.test('from start to ready on the embedded store; SIGTERM and SIGINT while idle', async (t) => {
  const dir = await tempDir(t);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const startedAt = performance.now();
    const gateway = await gatewayFor(t, { MODELLIX_API_KEY: KEY, DATA_DIR: dir });
    t.equal((await fetch(`${gateway.url}/readyz`)).status, 200);
    t.comment(`ready ${Math.round(performance.now() - startedAt)} ms after the start (TypeScript included)`);
    t.equal(await gateway.stop(signal), 0);
  }
});

t.test('SIGTERM while a submit is under way: not ready, the answer is waited for, exit 0', async (t) => {
  const simulator = await simulatorFor(t);
  const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
  const dir = await tempDir(t);
  const gateway = await gatewayFor(t, { ...settingsFor(simulator), DATA_DIR: dir });
  const posted = postExample(gateway.url);
  await answer.met;
  const exited = gateway.stop('SIGTERM');
  await until('it is not ready', async () => {
    const ready = await fetch(`${gateway.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    return ready ? null : true;
  });
  answer.release();
  const response = await posted;
  t.equal(response.status, 202);
  const [task] = simulator.ledger();
  t.match(await response.json(), { status: 'pending', task_id: task?.taskId });
  t.equal(await exited, 0);
  t.equal(simulator.calls('submit').length, 1);
});

t.test('SIGTERM with the data directory of the next start: what it left is finished there', async (t) => {
  const simulator = await simulatorFor(t, { settings: { taskMs: { min: 1500, max: 1500 } } });
  const env = { ...settingsFor(simulator), DATA_DIR: await tempDir(t) };
  const first = await gatewayFor(t, env);
  const { links } = await create(t, first.url);
  t.equal(await first.stop('SIGTERM'), 0);
  const second = await gatewayFor(t, env);
  await until('it has succeeded', async () => {
    const { status } = (await (await fetch(`${second.url}${links.self}`)).json()) as { status: string };
    return status === 'succeeded' ? true : null;
  });
  t.equal(simulator.calls('submit').length, 1);
});

t.test('an exception nobody caught is logged and ends the process with 1', async (t) => {
  const gateway = await gatewayFor(
    t,
    { MODELLIX_API_KEY: KEY, DATA_DIR: await tempDir(t) },
    { preload: './test/support/crash-on-message.mjs' },
  );
  gateway.send('thrown by a test');
  t.equal(await gateway.exited, 1);
  const fatal = gateway
    .output()
    .split('\n')
    .find((line) => line.includes('"level":60'));
  t.match(fatal, /"msg":"an error nobody caught"/);
  t.match(fatal, /"message":"thrown by a test"/);
});

t.test('a second signal ends it at once, with 1', async (t) => {
  const simulator = await simulatorFor(t);
  const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
  const gateway = await gatewayFor(t, { ...settingsFor(simulator), DATA_DIR: await tempDir(t) });
  const posted = postExample(gateway.url).catch(() => null);
  await answer.met;
  void gateway.stop('SIGTERM');
  await until('it is stopping', async () => (gateway.output().includes('"msg":"stopping"') ? true : null));
  t.equal(await gateway.stop('SIGTERM'), 1);
  t.equal(await posted, null);
});
