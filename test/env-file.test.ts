/** Settings in a file: `.env`, which README and `.env.example` speak of. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { readConfig, SECRETS, SETTINGS } from '../src/config/read-config.js';
import { gatewayScript } from './support/processes.js';

const read = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

async function folder(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-env-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** The start of a gateway in a folder, up to the line that says where it listens, or what it says at its end. */
async function startIn(t: Test, cwd: string, env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, [await gatewayScript()], {
    cwd,
    env: { PATH: String(process.env.PATH), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  const ended = Promise.all([text(child.stderr), once(child, 'exit')]);
  const [stderr, [code]] = await Promise.race([ended, listens(child.stdout).then(() => ['', ['listens']])]);
  return `${code} ${stderr}`.trim();
}

async function listens(stdout: NodeJS.ReadableStream): Promise<void> {
  let said = '';
  for await (const chunk of stdout) {
    said += chunk;
    if (said.includes('Server listening at')) return;
  }
  await new Promise(() => {});
}

t.test('[E15] the server reads .env where it is started, and the environment goes before it', async (t) => {
  const dir = await folder(t);
  t.match(await startIn(t, dir), /^2 avatar-gateway: MODELLIX_API_KEY is not set/, 'without one');
  const lines = ['# comment', 'MODELLIX_API_KEY="a-key"', 'PORT=0', 'DATA_DIR=./kept', ''];
  await writeFile(join(dir, '.env'), lines.join('\n'));
  t.equal(await startIn(t, dir), 'listens');
  t.equal(await startIn(t, dir, { PORT: '-1' }), '2 avatar-gateway: PORT=-1 must be >= 0');
  await writeFile(join(dir, '.env'), lines.concat('REDIS_URI=redis://127.0.0.1', '').join('\r\n'));
  t.match(await startIn(t, dir), /^2 avatar-gateway: REDIS_URI is not a setting/, 'and checks it');
});

t.test('[E15] a folder of that name is none', async (t) => {
  const dir = await folder(t);
  await mkdir(join(dir, '.env'));
  t.equal(await startIn(t, dir, { MODELLIX_API_KEY: 'a-key', PORT: '0' }), 'listens');
});

t.test(
  '[E15] .env.example, copied and filled in, starts a gateway; each line in it is a setting',
  async (t) => {
    const example = await read('.env.example');
    const dir = await folder(t);
    const filled = example.replace(/^MODELLIX_API_KEY=$/m, 'MODELLIX_API_KEY=a-key');
    t.not(filled, example, 'the key is to be filled in');
    await writeFile(join(dir, '.env'), filled.replace(/^#PORT=8080$/m, 'PORT=0'));
    t.equal(await startIn(t, dir), 'listens');

    const names = new Set([...SETTINGS.map(({ name }) => name), ...SECRETS.map((name) => `${name}_FILE`)]);
    const lines = [...example.matchAll(/^#?([A-Z0-9_]+)=(.*)$/gm)];
    for (const [line, name = '', value = ''] of lines) {
      t.ok(names.has(name), line);
      const { fallback } = SETTINGS.find((setting) => setting.name === name) ?? {};
      if (fallback !== undefined) t.equal(value, String(fallback), `${name} has its default`);
    }
  },
);

t.test('[E15] compose passes every setting on, and says itself what is so in its container', async (t) => {
  const { gateway } = parse(await read('docker-compose.yml')).services;
  const { environment } = gateway as { environment: Record<string, string | null> };
  const said = Object.keys(environment).filter((name) => environment[name] !== null);
  t.strictSame(said.sort(), ['ALLOW_ANONYMOUS', 'DATA_DIR', 'HOST', 'PORT', 'REDIS_URL']);
  const files = SECRETS.filter((name) => name !== 'REDIS_URL').map((name) => `${name}_FILE`);
  const names = [...SETTINGS.map(({ name }) => name), ...files];
  t.strictSame(Object.keys(environment).sort(), names.sort(), 'each stands in docker-compose.yml');
  const given = said.map((name) => [name, environment[name]?.replace(/^\$\{\w+:-(.*)\}$/, '$1')]);
  t.match(readConfig({ ...Object.fromEntries(given), MODELLIX_API_KEY: 'a-key' }), {
    host: '0.0.0.0',
    callers: { kind: 'anyone' },
    dataDir: '/data',
    store: { url: 'redis://redis:6379' },
  });
});

t.test('[E15] no image has the file', async (t) => {
  const ignored = await read('.dockerignore');
  t.match(ignored, /^\*\*$/m, 'all is left out');
  t.notMatch(ignored, /^!\.env/m, 'this, too');
});
