/** What CI lets through: `.ci/lockfile.mjs` on lock files that are not in order, `.ci/audit.mjs` on what npm may say, `.ci/run` on what fails. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

async function tempDir(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-ci-'));
  t.teardown(() => rm(dir, { recursive: true }));
  return dir;
}

async function run(script: string, args: string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(process.execPath, [join(ROOT, '.ci', script), ...args], { env });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, said: stdout + stderr };
}

type Entry = Record<string, unknown>;

t.test('the lock file', async (t) => {
  const file = join(await tempDir(t), 'package-lock.json');
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Entry>;
  };
  const fastify = 'node_modules/fastify';
  const changed = (change: Entry) => ({ ...packages, [fastify]: { ...packages[fastify], ...change } });
  const { 'node_modules/@esbuild/linux-x64': _, ...others } = packages;
  const cases: readonly (readonly [what: string, packages: object, fault: RegExp | null])[] = [
    ['as it is', packages, null],
    ['a new script', changed({ hasInstallScript: true }), /fastify: has an install script/],
    ['no checksum', changed({ integrity: undefined }), /fastify: has no integrity/],
    ['from elsewhere', changed({ resolved: 'git+ssh://git@host/x.git' }), /fastify: comes from git\+ssh/],
    ['one platform less', others, /esbuild: lacks @esbuild\/linux-x64/],
  ];
  for (const [what, packages, fault] of cases) {
    await writeFile(file, JSON.stringify({ packages }));
    const { code, said } = await run('lockfile.mjs', [file]);
    t.equal(code, fault === null ? 0 : 1, `${what}: ${said}`);
    t.match(said, fault ?? /^$/, what);
  }
});

t.test('the audit', async (t) => {
  const dir = await tempDir(t);
  const npm = join(dir, 'npm');
  const found = (high: number) => ({
    vulnerabilities: high === 0 ? {} : { undici: { name: 'undici', severity: 'high', range: '<9' } },
    metadata: { vulnerabilities: { high, critical: 0, total: high } },
  });
  const cases: readonly (readonly [what: string, says: string, code: number, line: RegExp])[] = [
    ['nothing', JSON.stringify(found(0)), 0, /^audit: 0 high or critical, 0 in all$/],
    ['a hole', JSON.stringify(found(1)), 1, /^audit: high: undici <9\naudit: 1 high or critical, 1 in all$/],
    [
      'no audit',
      '{"message":"405 Method Not Allowed","error":{}}',
      0,
      /^audit: skipped, .*405 Method[^\n]*$/,
    ],
    ['no network', '{"error":{"summary":"ENOTFOUND"}}', 0, /^audit: skipped, .*ENOTFOUND[^\n]*$/],
    ['no report', 'npm broke', 0, /^audit: skipped, [^\n]*$/],
  ];
  for (const [what, says, code, line] of cases) {
    await writeFile(npm, `#!/bin/sh\ncat <<'END'\n${says}\nEND\nexit 1\n`);
    await chmod(npm, 0o755);
    const ended = await run('audit.mjs', [], { PATH: `${dir}:${process.env.PATH}` });
    t.equal(ended.code, code, what);
    t.match(ended.said.trimEnd(), line, what);
  }
});

/** In place of npm: says what it was called with and on which Node, and fails or brings no Node where it is told so. */
const NPM = `#!/bin/sh
echo "npm $* on $(node --version)"
case "$*" in
  *"$FAILS"*) exit 1 ;;
  *--prefix*) mkdir -p "$6/node_modules/\${7%@*}/bin" && cp "$OTHER_NODE" "$6/node_modules/\${7%@*}/bin/node" ;;
  test) echo '5 passed, 0 failed' ;;
  test*) echo '2 passed, 0 failed' ;;
esac
`;

/** In place of Node.js. */
const node = (version: string) =>
  `#!/bin/sh\ncase "$1" in --version) echo ${version} ;; *) echo os-cpu ;; esac\n`;

t.test('the whole run, on two releases of Node', async (t) => {
  const dir = await tempDir(t);
  await cp(join(ROOT, '.ci/run'), join(dir, '.ci/run'));
  for (const name of ['bin', 'test/e2e', 'test/http/dropin', 'test/store'])
    await mkdir(join(dir, name), { recursive: true });
  for (const name of ['http/a', 'http/dropin/b', 'store/c', 'e2e/lifecycle', 'e2e/form', 'e2e/client'])
    await writeFile(join(dir, `test/${name}.test.ts`), '');
  const scripts = { 'bin/npm': NPM, 'bin/node': node('v20.19.0'), 'other-node': node('v24.0.0') };
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(dir, name), script);
    await chmod(join(dir, name), 0o755);
  }
  const ci = async (fails: string) => {
    const env = {
      PATH: `${join(dir, 'bin')}:${process.env.PATH}`,
      OTHER_NODE: join(dir, 'other-node'),
      FAILS: fails,
    };
    const child = spawn(join(dir, '.ci/run'), { env });
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return { code, said, last: said.trimEnd().split('\n').at(-1) };
  };

  const good = await ci('nothing');
  t.match(good, { code: 0, last: '5 passed, 0 failed' });
  const calls = good.said.split('\n').filter((line) => line.startsWith('npm '));
  t.match(calls, [
    'npm ci on v20.19.0',
    ...['lint', 'typecheck', 'build', 'openapi:lint', 'audit', 'demo'].map(
      (name) => `npm run --silent ${name} on v20.19.0`,
    ),
    /^npm install .* --prefix \/\S+ node-os-cpu@24 on v20/,
    'npm run --silent demo -- --push on v24.0.0',
    `npm test -- ${['store/c', 'http/dropin/b', 'e2e/lifecycle', 'e2e/form', 'e2e/client'].map((name) => `test/${name}.test.ts`).join(' ')} on v24.0.0`,
    'npm run --silent bench -- --quick on v20.19.0',
    'npm run --silent profile -- --seconds 1 on v20.19.0',
    'npm test on v20.19.0',
  ]);

  t.match(await ci('--prefix'), {
    code: 1,
    said: /^FAILED: npm brought no Node 24, so nothing was tried on it$/m,
    last: '5 passed, 0 failed',
  });
  for (const part of ['typecheck', 'demo', 'bench -- --quick', 'test --']) {
    t.match(await ci(part), { code: 1, said: /something above FAILED/, last: '5 passed, 0 failed' }, part);
  }
});
