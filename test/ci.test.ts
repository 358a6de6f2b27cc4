/** What CI lets through: `.ci/lockfile.mjs` on lock files that are not in order, `.ci/audit.mjs` on what npm may say. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
