/**
 * `npm test`: gets what the tests need and the machine lacks, runs them all, and closes with the count of the
 * named tests. Arguments are passed on to tap.
 *
 * They run as JavaScript, in a copy of the project: to load TypeScript takes each of them three times as long as all
 * else that it loads.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildProject } from './support/build.js';
import { countTests } from './support/count.js';
import { explainFailures } from './support/explain.js';

const REPORT = '.tap/report.tap';

interface Need {
  readonly what: string;
  readonly commands: readonly string[];
  readonly packages: readonly string[];
  readonly instead?: string;
}

const NEEDS: readonly Need[] = [
  { what: 'Redis', commands: ['redis-server'], packages: ['redis-server'], instead: 'REDIS_URL' },
  { what: 'OpenSSL', commands: ['openssl'], packages: ['openssl'] },
  { what: 'ffmpeg', commands: ['ffprobe'], packages: ['ffmpeg'] },
  { what: 'ImageMagick', commands: ['convert-im6.q16', 'magick'], packages: ['imagemagick'] },
  {
    what: 'Chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    packages: ['chromium'],
    instead: 'CHROMIUM',
  },
];

const has = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

function run(command: string, args: readonly string[]): boolean {
  process.stdout.write(`> ${command} ${args.join(' ')}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
}

/** With Debian's packages, as root or by sudo; otherwise says how to get what is missing. */
function provide({ what, commands, packages, instead }: Need): void {
  if ((instead !== undefined && process.env[instead]) || commands.some(has)) return;
  const root = process.getuid?.() === 0 ? [] : ['sudo', '-n', '-E'];
  const apt = [...root, 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300'];
  const [command = '', ...args] = apt;
  const installed =
    has('apt-get') &&
    run(command, [...args, 'update']) &&
    run(command, [...args, 'install', '-y', '--no-install-recommends', ...packages]);
  if (installed) return;
  const how = `apt-get install ${packages.join(' ')}${instead === undefined ? '' : `, or set ${instead}`}`;
  process.stderr.write(`The tests need ${what}: ${how}\n`);
  process.exit(1);
}

/**
 * Puts tap together as package.json has it, once after each install. Left to itself it does so in its first run, which still
 * has the compiler that is left out.
 */
function buildTap(): void {
  const [built, installed] = ['@tapjs/test/test-built/dist/esm/index.js', '.package-lock.json'].map(
    (file) => statSync(`node_modules/${file}`).mtimeMs,
  ) as [number, number];
  if (built < installed && !run('npx', ['tap', 'build'])) process.exit(1);
}

/** The copy to run the tests in. Reports lie in `.tap` here, as without it. */
async function copyProject(): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'avatar-gateway-tests-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  await buildProject(dir);
  mkdirSync('.tap', { recursive: true });
  symlinkSync(resolve('.tap'), join(dir, '.tap'));
  const file = join(dir, 'package.json');
  const { tap, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
  const args = (tap['node-arg'] as string[]).filter((arg) => arg !== '--import=tsx');
  const include = (tap.include as string[]).map(asJavaScript);
  writeFileSync(file, JSON.stringify({ ...rest, tap: { ...tap, 'node-arg': args, include } }, null, 2));
  return dir;
}

const asJavaScript = (name: string) => name.replace(/\.ts$/, '.js');

for (const need of NEEDS) provide(need);
buildTap();
const cwd = await copyProject();
const { status } = spawnSync(
  'npx',
  ['tap', '--reporter=terse', `--output-file=${REPORT}`, ...process.argv.slice(2).map(asJavaScript)],
  { stdio: 'inherit', cwd },
);
const report = readFileSync(REPORT, 'utf8');
const { passed, failed, redis } = countTests(report);
for (const failure of explainFailures(report)) process.stdout.write(`${failure}\n`);
for (const name of failed) process.stdout.write(`not ok: ${name}\n`);
process.stdout.write(`${redis} tests ran against Redis\n${passed} passed, ${failed.length} failed\n`);
process.exitCode = status === 0 && failed.length === 0 && passed > 0 ? 0 : 1;
