/** Who may import whom: `.dependency-cruiser.mjs` holds for `src`, and each of its rules notices who breaks it. */

import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const RULES = join(ROOT, '.dependency-cruiser.mjs');
const CRUISER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string; readonly dynamic: boolean }[];
  }[];
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { rule: { name: string }; from: string; to: string }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

/** The rules over the `src` of a folder. */
async function cruise(dir: string): Promise<Cruise> {
  const report = await new Promise<string>((resolve, reject) => {
    const args = [CRUISER, '--config', RULES, '--output-type', 'json', 'src'];
    execFile(process.execPath, args, { cwd: dir, maxBuffer: 1 << 26 }, (error, stdout) => {
      // It ends with the number of violations; what matters is the report.
      if (stdout === '' && error !== null) reject(error);
      else resolve(stdout);
    });
  });
  return JSON.parse(report) as Cruise;
}

/** A project of empty files that import what is given, with our packages at hand. */
async function project(t: Test, imports: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-architecture-'));
  t.teardown(() => rm(dir, { recursive: true }));
  for (const name of ['package.json', 'tsconfig.json']) await copyFile(join(ROOT, name), join(dir, name));
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  for (const [file, specifiers] of Object.entries(imports)) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    const lines = specifiers.map((specifier) => `import '${specifier}';`);
    await writeFile(join(dir, file), `${lines.join('\n')}\nexport const here = 1;\n`);
  }
  return dir;
}

/** A project in good order, one file a place. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  'src/main.ts': ['./serve.js', './cli/run.js', './config/settings.js'],
  'src/serve.ts': ['./app.js', './config/config.js', './telemetry/log.js'],
  'src/telemetry/log.ts': ['../gateway/verb.js', 'pino', 'prom-client'],
  'src/cli/run.ts': ['../client/index.js', './backup.js', './callers/add.js', 'commander', 'node:fs'],
  'src/cli/backup.ts': [],
  'src/cli/callers/add.ts': [
    '../../callers/open.js',
    '../../disk/durable.js',
    '../../domain/price.js',
    'commander',
  ],
  'src/app.ts': [
    './callers/open.js',
    './config/config.js',
    './gateway/verb.js',
    './http/route.js',
    './outbound/fetcher.js',
    './store/redis/redis.js',
    './videos/folder.js',
    'fastify',
  ],
  'src/client/index.ts': ['./client.js'],
  'src/client/client.ts': ['eventsource-parser'],
  'src/callers/open.ts': ['../disk/durable.js', '../domain/avatar.js', 'yaml', 'node:crypto'],
  'src/config/config.ts': ['./environment.js', './settings.js'],
  'src/config/environment.ts': ['./settings.js', 'node:fs'],
  'src/config/settings.ts': ['typebox'],
  'src/problem-catalogue.ts': [],
  'src/problems.ts': ['./problem-catalogue.js'],
  'src/disk/durable.ts': ['node:fs/promises'],
  'src/domain/avatar.ts': ['node:zlib'],
  'src/domain/price.ts': ['./avatar.js'],
  'src/gateway/verb.ts': [
    '../domain/price.js',
    '../store/store.js',
    '../modellix/client.js',
    '../problems.js',
  ],
  'src/http/route.ts': ['../gateway/verb.js', '../problems.js', 'fastify'],
  'src/modellix/client.ts': ['undici', '../domain/avatar.js'],
  'src/outbound/fetcher.ts': ['undici', 'ipaddr.js', '../domain/avatar.js', './addresses.js'],
  'src/outbound/addresses.ts': [],
  'src/store/store.ts': ['../domain/avatar.js'],
  'src/store/redis/redis.ts': ['../store.js', 'ioredis'],
  'src/videos/folder.ts': ['../disk/durable.js', 'node:fs/promises'],
};

/** For each rule, what breaks it. */
const OFFENCES: readonly (readonly [rule: string, file: string, specifier: string])[] = [
  ['no-cycles', 'src/domain/avatar.ts', './price.js'],
  ['domain-is-pure', 'src/domain/avatar.ts', '../problems.js'],
  ['domain-is-pure', 'src/domain/avatar.ts', 'ioredis'],
  ['domain-is-pure', 'src/domain/avatar.ts', 'undici'],
  ['domain-is-pure', 'src/domain/avatar.ts', 'fastify'],
  ['domain-is-pure', 'src/domain/avatar.ts', 'node:fs'],
  ['domain-is-pure', 'src/domain/avatar.ts', 'fs/promises'],
  ['domain-is-pure', 'src/domain/avatar.ts', 'node:perf_hooks'],
  ['gateway-below-http', 'src/gateway/verb.ts', '../http/route.js'],
  ['gateway-below-http', 'src/gateway/verb.ts', '../store/redis/redis.js'],
  ['gateway-below-http', 'src/gateway/verb.ts', '../config/config.js'],
  ['gateway-below-http', 'src/gateway/verb.ts', 'fastify'],
  ['gateway-below-http', 'src/gateway/verb.ts', 'node:http'],
  ['http-through-gateway', 'src/http/route.ts', '../store/store.js'],
  ['http-through-gateway', 'src/http/route.ts', '../modellix/client.js'],
  ['http-through-gateway', 'src/http/route.ts', '../config/settings.js'],
  ['adapters-stand-alone', 'src/modellix/client.ts', '../store/store.js'],
  ['adapters-stand-alone', 'src/store/store.ts', '../modellix/client.js'],
  ['adapters-stand-alone', 'src/store/store.ts', '../gateway/verb.js'],
  ['adapters-stand-alone', 'src/outbound/fetcher.ts', '../modellix/client.js'],
  ['adapters-stand-alone', 'src/outbound/fetcher.ts', '../problems.js'],
  ['adapters-stand-alone', 'src/modellix/client.ts', '../outbound/fetcher.js'],
  ['adapters-stand-alone', 'src/callers/open.ts', '../outbound/fetcher.js'],
  ['adapters-stand-alone', 'src/callers/open.ts', '../gateway/verb.js'],
  ['only-app-knows-callers', 'src/http/route.ts', '../callers/open.js'],
  ['only-app-knows-callers', 'src/cli/run.ts', '../callers/open.js'],
  ['caller-commands-on-their-file', 'src/cli/callers/add.ts', '../../client/index.js'],
  ['caller-commands-on-their-file', 'src/cli/callers/add.ts', '../../config/config.js'],
  ['yaml-at-home', 'src/config/config.ts', 'yaml'],
  ['backup-on-its-database', 'src/cli/backup.ts', '../config/config.js'],
  ['client-stands-alone', 'src/client/client.ts', '../problems.js'],
  ['client-stands-alone', 'src/client/client.ts', 'node:crypto'],
  ['client-stands-alone', 'src/client/client.ts', 'undici'],
  ['client-for-others', 'src/http/route.ts', '../client/index.js'],
  ['adapters-stand-alone', 'src/videos/folder.ts', '../store/store.js'],
  ['disk-knows-nobody', 'src/disk/durable.ts', '../domain/avatar.js'],
  ['only-app-knows-videos', 'src/config/config.ts', '../videos/folder.js'],
  ['problems-know-nobody', 'src/problems.ts', './domain/avatar.js'],
  ['problems-know-nobody', 'src/problem-catalogue.ts', './domain/avatar.js'],
  ['only-app-picks-adapters', 'src/main.ts', './store/redis/redis.js'],
  ['only-serve-knows-app', 'src/config/config.ts', '../app.js'],
  ['only-serve-knows-app', 'src/main.ts', './app.js'],
  ['commands-through-client', 'src/cli/run.ts', '../http/route.js'],
  ['only-main-knows-commands', 'src/serve.ts', './cli/run.js'],
  ['only-main-knows-commands', 'src/http/route.ts', 'commander'],
  ['only-config-reads-settings', 'src/http/route.ts', '../config/config.js'],
  ['only-config-reads-settings', 'src/http/route.ts', '../config/environment.js'],
  ['redis-driver-at-home', 'src/app.ts', 'ioredis'],
  ['sqlite-driver-at-home', 'src/store/redis/redis.ts', 'libsql'],
  ['http-client-at-home', 'src/http/route.ts', 'undici'],
  ['http-client-at-home', 'src/store/store.ts', 'undici'],
  ['addresses-at-home', 'src/modellix/client.ts', 'ipaddr.js'],
  ['addresses-at-home', 'src/http/route.ts', 'ipaddr.js'],
  ['logger-at-home', 'src/http/route.ts', 'pino'],
  ['logger-at-home', 'src/http/route.ts', 'prom-client'],
  ['fastify-at-home', 'src/modellix/client.ts', '@fastify/accepts'],
  ['no-dev-packages', 'src/http/route.ts', 'tap'],
  ['no-missing-files', 'src/http/route.ts', './nowhere.js'],
];

t.test('src keeps every rule', async (t) => {
  const dir = await project(t, {});
  // Beside each file there may be what it was compiled to.
  const filter = (name: string) => !name.endsWith('.js');
  await cp(join(ROOT, 'src'), join(dir, 'src'), { recursive: true, filter });
  const { modules, summary } = await cruise(dir);
  const { totalCruised, violations } = summary;
  t.ok(totalCruised > 50, `${totalCruised} files were looked at`);
  t.strictSame(
    violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
    [],
  );

  // The process loads what it is asked to be, and nothing else.
  const main = modules.find(({ source }) => source === 'src/main.ts');
  const loaded = main?.dependencies.filter(({ resolved }) => resolved.startsWith('src/')) ?? [];
  t.ok(loaded.length > 2);
  for (const { resolved, dynamic } of loaded) t.ok(dynamic, `main.ts imports ${resolved} when it is needed`);
});

t.test('a project in good order keeps every rule', async (t) => {
  t.strictSame((await cruise(await project(t, GOOD))).summary.violations, []);
});

t.test('each rule notices who breaks it', async (t) => {
  const bad: Record<string, readonly string[]> = { ...GOOD, 'src/domain/dead.ts': [] };
  for (const [, file, specifier] of OFFENCES) bad[file] = [...(bad[file] ?? []), specifier];
  const { violations, ruleSetUsed } = (await cruise(await project(t, bad))).summary;
  const seen = violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
  for (const [rule, from, specifier] of OFFENCES) {
    // A module is resolved to a file: `../a/b.js` to `src/a/b.ts`, a package to its folder, `node:fs` to `fs`.
    const name = specifier.replace(/^(node:|\.[./]*)/, '').replace(/\.js$/, '');
    const found = seen.some((each) => each.rule === rule && each.from === from && each.to.includes(name));
    t.ok(found, `${rule}: ${from} imports ${specifier}`);
  }
  t.ok(
    seen.some(({ rule, to }) => rule === 'no-dead-files' && to === 'src/domain/dead.ts'),
    'a dead file',
  );
  const tried = new Set([...OFFENCES.map(([rule]) => rule), 'no-dead-files']);
  const untried = ruleSetUsed.forbidden.map(({ name }) => name).filter((name) => !tried.has(name));
  t.strictSame(untried, [], 'no rule without an example');
});

t.test('who reads the environment, ends the process, hears signals and logs', async (t) => {
  const files = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((file) =>
    file.endsWith('.ts'),
  );
  const using = async (pattern: RegExp) => {
    const texts = await Promise.all(
      files.map(async (file) => [file, await readFile(join(ROOT, 'src', file), 'utf8')]),
    );
    return texts.flatMap(([file = '', text = '']) => (pattern.test(text) ? [file] : []));
  };
  // main.ts passes it on to the commands, which have no other way to it.
  t.strictSame(await using(/process\.env\b/), ['main.ts', 'config/read-config.ts']);
  t.strictSame(await using(/process\.(exit|exitCode|abort|kill|on|once)\b|close-with-grace/), [
    'main.ts',
    'serve.ts',
  ]);
  // Fastify's types let every field pass; `logOf` has those that may be logged. Fastify's own lines have fields of its own.
  t.strictSame(await using(/\b(request|reply|app|server|scope|api)\.log\b|\blog\.(child|setBindings)\b/), [
    'http/log.ts',
  ]);
});
