/** How Node is started, which `package.json` and the Dockerfile both say. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const read = (name: string) => readFile(join(ROOT, name), 'utf8');
const { scripts } = JSON.parse(await read('package.json'));

t.test('the image starts it with the flags that `npm start` gives', async (t) => {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(await read('Dockerfile'))?.[1] ?? '[]';
  const [, , ...command] = JSON.parse(entry) as string[];
  t.match(command, ['node', /^--/], 'there are some');
  t.ok(
    scripts.start.endsWith(`exec ${command.join(' ')}`),
    `${scripts.start} ends with ${command.join(' ')}`,
  );
});

t.test('[E22] `npm start` builds what is not built, or has changed since', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-start-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  for (const name of ['.ci', 'bin', 'src', 'src/http', 'dist']) await mkdir(join(dir, name));
  const main = join(dir, 'dist/main.js');
  const sources = [
    'src/http/server.ts',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    '.ci/bundle.mjs',
  ];
  for (const name of sources) await writeFile(join(dir, name), '');
  // In place of npm: what it would build says so.
  const npm = join(dir, 'bin/npm');
  await writeFile(
    npm,
    `#!/bin/sh\n[ "$*" = "run --silent build" ] && echo 'console.log("built")' > dist/main.js\n`,
  );
  await chmod(npm, 0o755);
  const start = async () => {
    const env = { PATH: `${join(dir, 'bin')}:${process.env.PATH}` };
    const child = spawn('sh', ['-c', scripts.start], { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return `${code} ${said.trim()}`;
  };
  t.equal(await start(), '0 built', 'nothing is built');
  await writeFile(main, 'console.log("as it was")');
  t.equal(await start(), '0 as it was', 'it is new');
  for (const name of sources) {
    await writeFile(main, 'console.log("as it was")');
    const past = new Date(Date.now() - 60_000);
    await utimes(main, past, past);
    for (const other of [...sources, 'src', 'src/http']) {
      const before = new Date(past.getTime() - 60_000);
      await utimes(join(dir, other), before, before);
    }
    t.equal(await start(), '0 as it was', `${name} is older`);
    await writeFile(join(dir, name), '');
    t.equal(await start(), '0 built', `${name} has changed`);
  }
  await writeFile(npm, '#!/bin/sh\nexit 3\n');
  await rm(main);
  t.not(await start(), '0 as it was', 'what cannot be built is not started');
});

t.test('[E22] `npm run dev` prints lines for people', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-dev-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const env = {
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
    MODELLIX_API_KEY: 'a-key',
    PORT: '0',
    DATA_DIR: dir,
  };
  const child = spawn('sh', ['-c', scripts.dev], { cwd: ROOT, env, detached: true });
  const ended = once(child, 'exit').then(() => true);
  const said: string[] = [];
  await new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (line.includes('Server listening')) resolve();
    });
  });
  t.match(said.join('\n'), /INFO.*Server listening at http:\/\/127\.0\.0\.1:\d+/);
  t.notMatch(said.join('\n'), /\{"level"/);
  // As a terminal does at Ctrl-C, to all of them.
  process.kill(-(child.pid ?? 0), 'SIGINT');
  t.ok(await ended);
});
