/** Commands as the processes that they are. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startApp } from '../support/app.js';
import { startCommand } from '../support/processes.js';
import { createAvatar, readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';
import { FILES, folder } from './support.js';

const VIDEO = await readFile(new URL('../simulator/result.mp4', import.meta.url));

t.setTimeout(600_000);

t.test('a gateway beside', async (t) => {
  const { url, simulator } = await startApp(t);
  const env = { AVATAR_GATEWAY_URL: url };

  t.test('create: from files to a file', async (t) => {
    const out = join(await folder(t), 'v.mp4');
    const made = simulator.nextTask();
    const command = await startCommand(['create', ...FILES, '--out', out, '--json'], env);
    simulator.settle((await made).taskId, { end: 'success' });
    const { code, stdout, stderr } = await command.ended;
    t.equal(code, 0, stderr);
    t.match(JSON.parse(stdout), { status: 'succeeded' });
    t.strictSame(await readFile(out), VIDEO);
  });

  t.test('SIGINT while it waits: 130, the id, and the avatar goes on', async (t) => {
    const dir = await folder(t);
    const args = ['create', '--image', URLS.image, '--audio-id', URLS.audio_id, '--out', join(dir, 'v.mp4')];
    const command = await startCommand(args, env);
    const id = await until('it waits', async () => /^(av_\w+) {2}p\w+$/m.exec(command.stderr())?.[1] ?? null);
    command.kill('SIGINT');
    const { code, stdout, stderr } = await command.ended;
    t.match({ code, stdout }, { code: 130, stdout: '' });
    t.match(stderr, new RegExp(`\navatar-gateway: ${id} goes on; .*: avatar-gateway watch ${id}\n$`));
    t.match(await readAvatar(url, id), { completed_at: null });
    t.strictSame(await readdir(dir), []);
  });

  t.test('whoever reads leaves early: it ends, and says nothing', async (t) => {
    await createAvatar(url);
    const command = await startCommand(['watch'], env);
    command.leave();
    const making = setInterval(() => void createAvatar(url).catch(() => {}), 250);
    t.teardown(() => clearInterval(making));
    t.match(await command.ended, { code: 130, stderr: '' });
  });
});
