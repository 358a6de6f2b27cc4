/** Each piece of code in docs/client.md, run as it stands there, with the package as it is built. */

import { execFile, spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { parseNetworks } from '../src/outbound/addresses.js';
import { startApp, WEBHOOK_SECRET } from './support/app.js';
import { buildClient } from './support/build.js';
import { CALLBACK_NETWORKS } from './support/receiver.js';
import { freePort } from './support/redis-process.js';
import { reached } from './support/replicas.js';
import { createAvatar, URLS } from './support/requests.js';
import { until } from './support/until.js';

const DEMO = fileURLToPath(new URL('./demo/', import.meta.url));
const run = promisify(execFile);

const app = await startApp(t, {
  callbacks: { secrets: [WEBHOOK_SECRET], allowedNetworks: parseNetworks(CALLBACK_NETWORKS) },
});
const dir = t.testdir();
await buildClient(dir);
for (const name of ['portrait.jpg', 'speech.mp3']) await cp(join(DEMO, name), join(dir, name));

const page = await readFile(new URL('../docs/client.md', import.meta.url), 'utf8');
const snippets = [...page.matchAll(/```(\w+)\n(.*?)```/gs)];
t.strictSame(new Set(snippets.map(([, language]) => language)), new Set(['js']), 'all of them are run');

async function fileOf(heading: string): Promise<string> {
  const code = page.split('\n## ').find((section) => section.startsWith(heading));
  const [, text = ''] = /```js\n(.*?)```/s.exec(code ?? '') ?? [];
  const file = join(dir, `${heading.replaceAll(' ', '-')}.mjs`);
  await writeFile(file, text.replace('http://127.0.0.1:8080', app.url));
  return file;
}

/** Runs one that does not end by itself. */
async function started(t: Test, heading: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [await fileOf(heading)], {
    cwd: dir,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => String((await lines.next()).value);
}

t.test('Make an avatar', async (t) => {
  const task = app.simulator.nextTask();
  const running = run(process.execPath, [await fileOf('Make an avatar')], { cwd: dir });
  app.simulator.settle((await task).taskId, { end: 'success' });
  const { stdout } = await running;
  t.match(stdout, /^succeeded$/m);
  const video = await readFile(join(dir, 'avatar.mp4'));
  t.ok(video.equals(await readFile(new URL('./simulator/result.mp4', import.meta.url))));
});

t.test('List them', async (t) => {
  const { id } = await createAvatar(app.url, { ...URLS, external_id: 'order-1042' });
  const { stdout } = await run(process.execPath, [await fileOf('List them')], { cwd: dir });
  t.match(stdout, new RegExp(`^${id} \\w+\n$`));
});

t.test('Be told', async (t) => {
  const line = await started(t, 'Be told');
  await reached(app, '/avatars/events');
  const { id } = await createAvatar(app.url);
  t.match(await line(), new RegExp(`^${id} \\w+ \\d+$`));
});

t.test('Take a callback', async (t) => {
  const port = await freePort();
  const line = await started(t, 'Take a callback', { PORT: String(port), WEBHOOK_SECRETS: WEBHOOK_SECRET });
  const url = `http://127.0.0.1:${port}/`;
  const unsigned = () => fetch(url, { method: 'POST', body: '{}' }).catch(() => null);
  t.equal((await until('it listens', unsigned)).status, 400, 'what is not signed');
  const { id, task_id } = await createAvatar(app.url, { ...URLS, callback_url: url });
  app.simulator.settle(String(task_id), { end: 'success' });
  t.match(await line(), new RegExp(`^${id}_\\d+ avatar\\.succeeded ${id}$`));
});

t.test('When something goes wrong', async (t) => {
  const { stdout } = await run(process.execPath, [await fileOf('When something goes wrong')], { cwd: dir });
  t.match(stdout, /^422 validation A field is not valid: .*\/mode/);
});
