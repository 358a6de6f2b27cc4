/** Looking at avatars: one, and many. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startPathProxy } from '../client/support.js';
import { startApp } from '../support/app.js';
import { createAvatar, URLS } from '../support/requests.js';
import { succeeded } from '../support/video.js';
import { folder, ran, start } from './support.js';

const VIDEO = await readFile(new URL('../simulator/result.mp4', import.meta.url));
const idsIn = (text: string) => text.match(/^av_\w+/gm);

t.test('list', async (t) => {
  const { url } = await startApp(t);
  t.strictSame(await ran(url, ['list']), { code: 0, stdout: '', stderr: 'There are none\n' });

  const facts = { prompt: 'She\u202e smiles.', external_id: 'order-17' };
  const oldest = await createAvatar(url, { ...URLS, ...facts });
  const ids = [oldest.id];
  for (const _ of [1, 2]) ids.unshift((await createAvatar(url)).id);

  const table = await ran(url, ['list']);
  t.match(table, { code: 0, stderr: '' });
  const [headings = '', ...rows] = table.stdout.trimEnd().split('\n');
  t.match(headings, /^ID +STATUS +MODE +MADE +AUDIO +USD +EXTERNAL ID +PROMPT$/);
  t.strictSame(idsIn(table.stdout), ids, 'the newest first');
  t.match(rows[2], / pending +std +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +- +- +order-17 +She\\u202e smiles\.$/);
  for (const row of rows) t.equal(row.indexOf(' std '), headings.indexOf(' MODE '), 'below the heading');

  const narrow = await ran(url, ['list'], { isTerminal: true });
  for (const line of narrow.stdout.trimEnd().split('\n')) t.ok(line.length <= 80, 'cut to the terminal');

  const some = await ran(url, ['list', '--limit', '2']);
  t.strictSame(idsIn(some.stdout), ids.slice(0, 2));
  t.equal(some.stderr, 'There are more than these 2: see --limit\n');

  const named = await ran(url, [
    'list',
    '--external-id',
    'order-17',
    '--status',
    'pending,processing',
    '--json',
  ]);
  t.match(JSON.parse(named.stdout), { id: oldest.id, ...facts });
  t.match(await ran(url, ['list', '--status', 'failed', '--quiet']), { code: 0, stdout: '', stderr: '' });
  t.match(await ran(url, ['list', '--status', 'done']), {
    code: 1,
    stdout: '',
    stderr: /^avatar-gateway: .*\(400\): .*\n {2}--status: .*\n {2}request \S+\n$/,
  });

  await Promise.all(Array.from({ length: 100 }, () => createAvatar(url)));
  const all = await ran(url, ['list', '--limit', '1000', '--json']);
  const lines = all.stdout.trimEnd().split('\n');
  t.equal(new Set(lines.map((line) => JSON.parse(line).id)).size, 103, 'more than a page has, each once');
  t.equal(lines.length, 103);
});

t.test('get', async (t) => {
  const app = await startApp(t, { modellix: { videoTimeoutMs: 600_000 } });
  const { url, simulator } = app;
  const { id } = await createAvatar(url, { ...URLS, prompt: 'a\nb', metadata: { team: 'red' } });
  const details = await ran(url, ['get', id]);
  t.match(details, { code: 0, stderr: '' });
  t.match(details.stdout, new RegExp(`^${id}\n {2}status +pending\n`));
  t.match(details.stdout, /\n {2}prompt +a\\u000ab\n {2}image +url\n {2}audio +audio_id\n/);
  t.match(details.stdout, /\n {2}metadata +team=red\n {2}task +\S+\n {2}made +\d{4}-.*Z\n/);
  t.match(JSON.parse((await ran(url, ['get', id, '--json'])).stdout), { id, metadata: { team: 'red' } });
  const below = await startPathProxy(t, url);
  t.match(JSON.parse((await ran(below, ['get', id, '--json'])).stdout), { id }, 'a gateway below a path');
  t.match(await ran('', ['list', '--url', `${below}/`]), { code: 0, stdout: new RegExp(id) });
  t.match(await ran(url, ['get', 'av_0']), { code: 1, stdout: '', stderr: /\(404\): .*\n {2}request / });

  const dir = await folder(t);
  const out = join(dir, 'v.mp4');
  t.match(await ran(url, ['get', id, '--out', out]), { code: 1, stderr: /not there yet \(409\)/ });
  t.strictSame(await readdir(dir), [], 'nothing is left of it');

  const done = /av_\w+/.exec(await succeeded(app))?.[0] ?? '';
  const get = ['get', done, '--out', out];
  t.test('the video breaks off: it is fetched again', async (t) => {
    simulator.inject({ on: 'result', when: 'after', do: { reset: 'mid-body' } });
    t.match(await ran(url, get), { code: 0, stdout: '', stderr: `wrote ${out}, 146 kB\n` });
    t.strictSame(await readFile(out), VIDEO);
    t.equal(simulator.calls('result').length, 2);
    t.strictSame(await readdir(dir), ['v.mp4']);
    t.match(await ran(url, get), { code: 2, stderr: /--out .* is there already/ });
  });

  t.test('the video breaks off each time: 3, and the file that was there is as it was', async (t) => {
    const fault = simulator.inject({
      on: 'result',
      when: 'after',
      probability: 1,
      do: { reset: 'mid-body' },
    });
    t.match(await ran(url, [...get, '--force']), {
      code: 3,
      stderr: /\navatar-gateway: The video broke off: .*\n$/,
    });
    fault.remove();
    t.strictSame(await readFile(out), VIDEO);
    t.strictSame(await readdir(dir), ['v.mp4']);
  });

  t.test('interrupted on the way: 130, and no half of it is left', async (t) => {
    const fault = simulator.inject({ on: 'result', when: 'after', do: { hang: 'mid-body' } });
    const other = join(dir, 'other.mp4');
    const command = start(url, ['get', done, '--out', other]);
    await command.stderr.has(/video\n/);
    t.match(await readdir(dir), [/^\.other\.mp4\.\w+\.part$/, 'v.mp4']);
    command.interrupt();
    t.equal(await command.code, 130);
    fault.remove();
    t.strictSame(await readdir(dir), ['v.mp4']);
  });
});
