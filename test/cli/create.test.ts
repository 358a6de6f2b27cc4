/** From files to a file, on both stores. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Avatar } from '../../src/client/index.js';
import { startApp } from '../support/app.js';
import { redisUrl } from '../support/redis.js';
import { STORES } from '../support/replicas.js';
import { readAvatar } from '../support/requests.js';
import { FILES, folder, PORTRAIT, ran, start } from './support.js';

const VIDEO = await readFile(new URL('../simulator/result.mp4', import.meta.url));

/** The answer comes once Modellix took the task, however slow this machine is. */
const PATIENT = { gateway: { submitGraceMs: 60_000 } };

for (const store of STORES) {
  t.test(`${store}: the video is written, and how it goes is said`, async (t) => {
    const app = await startApp(t, { ...PATIENT, ...(store === 'redis' && { redis: await redisUrl(t) }) });
    const dir = await folder(t);
    const out = join(dir, 'v.mp4');
    const made = app.simulator.nextTask();
    const facts = ['--prompt', 'She smiles.', '--mode', 'pro', '--external-id', 'order-17'];
    const metadata = ['--metadata', 'team=red', 'note=a=b', '--metadata', 'shift=2'];
    const { code, stdout, stderr } = start(app.url, [
      'create',
      ...FILES,
      '--out',
      out,
      ...facts,
      ...metadata,
    ]);

    const { taskId } = await made;
    const [, id = ''] = await stderr.has(/^(av_\w+)$/m);
    t.match(await readAvatar(app.url, id), {
      ...{ prompt: 'She smiles.', mode: 'pro', external_id: 'order-17' },
      metadata: { team: 'red', note: 'a=b', shift: '2' },
      image: { source: 'inline', format: 'jpeg' },
      audio: { source: 'inline', format: 'mp3' },
    });
    await stderr.has(/ {2}pending$/m);
    app.simulator.settle(taskId, { end: 'success' });
    t.equal(await code, 0);
    t.strictSame(await readFile(out), VIDEO, 'the very bytes');
    t.strictSame(await readdir(dir), ['v.mp4'], 'and nothing else');
    t.equal(stdout.text, '');
    t.match(
      stderr.text,
      new RegExp(
        `^avatar  sending\n${id}\n${id}  pending\n(${id}  \\w+\n)*${id}  succeeded\n${id}  video\nwrote ${out}, `,
      ),
    );
    t.notMatch(stderr.text, /[\r␛]/, 'no terminal: nothing is drawn');
  });
}

t.test('one app for the rest', async (t) => {
  const app = await startApp(t, PATIENT);
  const { simulator, url } = app;
  const paid = () => simulator.ledger().length;

  t.test('on a terminal', async (t) => {
    const out = join(await folder(t), 'v.mp4');
    const made = simulator.nextTask();
    const { code, stderr } = start(url, ['create', ...FILES, '--out', out], { isTerminal: true });
    const { taskId } = await made;
    await stderr.has(/\r\[ *====? *\] {2}pending {2}0:\d\d␛\[K/);
    simulator.settle(taskId, { end: 'success' });
    t.equal(await code, 0);
    t.match(stderr.text, /\rav_\w+ {2}succeeded {2}0:\d\d␛\[K\n/, 'the end stays');
    t.match(stderr.text, /\r\[====================\] {2}video {2}\d+ kB of \d+ kB␛\[K/);
  });

  t.test('--no-wait prints the id alone, --json the avatar', async (t) => {
    const plain = await ran(url, ['create', ...FILES, '--no-wait']);
    t.match(plain, { code: 0, stdout: /^av_\w+\n$/ });
    t.match(await readAvatar(url, plain.stdout.trim()), { status: 'pending' });
    const within = ['--start-within', '60'];
    const json = await ran(url, ['create', ...FILES, '--no-wait', '--json', '--quiet', ...within]);
    t.match(json, { code: 0, stdout: /^\{.*\}\n$/, stderr: '' });
    const { start_by, created_at, ...avatar } = JSON.parse(json.stdout) as Avatar;
    t.match(avatar, { status: 'pending', prompt: null });
    t.equal(Date.parse(start_by ?? '') - Date.parse(created_at), 60_000);
    t.match(await ran(url, ['create', ...FILES, '--start-within', '1.5']), {
      code: 2,
      stderr: /whole number/,
    });
  });

  t.test('--json: one avatar, as it ended', async (t) => {
    const made = simulator.nextTask();
    const command = start(url, [
      'create',
      '--image',
      'https://example.com/a.jpg',
      '--audio-id',
      'a-1',
      '--json',
    ]);
    simulator.settle((await made).taskId, { end: 'success' });
    t.equal(await command.code, 0);
    const avatar = JSON.parse(command.stdout.text) as Avatar;
    t.match(avatar, { status: 'succeeded', audio: { source: 'audio_id' }, image: { source: 'url' } });
    t.match(command.stderr.text, `avatar-gateway get ${avatar.id} --out FILE`);
  });

  t.test('--check says what it costs and makes nothing', async (t) => {
    const before = paid();
    t.match(await ran(url, ['create', ...FILES, '--check']), {
      code: 0,
      stdout:
        /image +inline, jpeg, \d+x\d+, \d+ kB\n.*audio +inline, mp3, [\d.]+ s, .*\n.*cost +about [\d.]+ USD\n/,
    });
    const refused = await ran(url, ['create', ...FILES.slice(0, 2), '--audio', PORTRAIT, '--check']);
    t.match(refused, {
      code: 1,
      stdout: '',
      stderr: /^avatar-gateway: .*\(422\).*\n {2}--audio: .*\n {2}request /,
    });
    t.equal(paid(), before);
  });

  t.test('the same key and request: the same avatar', async (t) => {
    const args = ['create', ...FILES, '--no-wait', '--idempotency-key', 'order-17'];
    const before = paid();
    const [first, second] = [await ran(url, args), await ran(url, args)];
    t.match(first, { code: 0 });
    t.strictSame(second, first);
    t.equal(paid(), before + 1);
  });

  t.test('one that fails: the reason, and 1', async (t) => {
    const made = simulator.nextTask();
    const command = start(url, ['create', ...FILES, '--quiet']);
    simulator.settle((await made).taskId, { end: 'failed', reason: 'no face found' });
    t.equal(await command.code, 1);
    t.match(command.stderr.text, /^avatar-gateway: av_\w+ ended as failed: .*no face found.*\n$/);
  });

  t.test('one that Modellix refuses at once: the avatar it was made, and 1', async (t) => {
    simulator.inject({
      on: 'submit',
      do: { status: 400, body: { code: 400, message: 'bad face', data: {} } },
    });
    const { code, stdout, stderr } = await ran(url, ['create', ...FILES, '--json']);
    t.equal(code, 1);
    t.match(JSON.parse(stdout), { status: 'failed' });
    t.match(stderr, /avatar-gateway: av_\w+ ended as failed: .*bad face/);
  });

  t.test('what cannot be written or read is said before anything is paid for', async (t) => {
    const dir = await folder(t);
    const there = join(dir, 'there.mp4');
    await writeFile(there, 'mine');
    const before = paid();
    const wrong: readonly [string[], RegExp][] = [
      [[...FILES, '--out', there], /--out .*there\.mp4: is there already; --force/],
      [[...FILES, '--out', dir], /--out .*: is a folder/],
      [[...FILES, '--out', join(dir, 'no', 'v.mp4')], /--out .*: its folder is not there/],
      [['--image', join(dir, 'a.jpg'), '--audio-id', 'a'], /--image .*a\.jpg: no such file/],
      [['--image', PORTRAIT, '--audio', dir], /--audio .*: not a file/],
    ];
    for (const [args, line] of wrong) {
      const { code, stderr } = await ran(url, ['create', ...args]);
      t.equal(code, 2, args.join(' '));
      t.match(stderr, new RegExp(`^avatar-gateway: ${line.source}[^\n]*\n$`));
    }
    t.equal(paid(), before);
    t.equal(await readFile(there, 'utf8'), 'mine');
  });

  t.test('the video cannot be fetched: 3, and how to fetch it later', async (t) => {
    const dir = await folder(t);
    const fault = simulator.inject({
      on: 'result',
      when: 'after',
      probability: 1,
      do: { reset: 'mid-body' },
    });
    const made = simulator.nextTask();
    const command = start(url, ['create', ...FILES, '--out', join(dir, 'v.mp4')]);
    simulator.settle((await made).taskId, { end: 'success' });
    t.equal(await command.code, 3);
    fault.remove();
    t.match(command.stderr.text, /broke off.*\n(av_\w+) succeeded; .*: avatar-gateway get \1 --out FILE\n$/);
    t.strictSame(await readdir(dir), []);
  });

  t.test('--force writes over what is there', async (t) => {
    const out = join(await folder(t), 'v.mp4');
    await writeFile(out, 'old');
    const made = simulator.nextTask();
    const command = start(url, ['create', ...FILES, '--out', out, '--force']);
    simulator.settle((await made).taskId, { end: 'success' });
    t.equal(await command.code, 0);
    t.strictSame(await readFile(out), VIDEO);
  });
});
