/** Media from pipes, and videos into what is no plain file. */

import { execFile, execFileSync } from 'node:child_process';
import { lstatSync, readlinkSync } from 'node:fs';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import t from 'tap';
import { startApp } from '../support/app.js';
import { gatewayScript } from '../support/processes.js';
import { readAvatar } from '../support/requests.js';
import { succeeded } from '../support/video.js';
import { FILES, folder, PORTRAIT, ran, SPEECH, start } from './support.js';

const VIDEO = await readFile(new URL('../simulator/result.mp4', import.meta.url));

t.setTimeout(600_000);

t.test('videos', async (t) => {
  const app = await startApp(t);
  const { url, simulator } = app;
  const id = /av_\w+/.exec(await succeeded(app))?.[0] ?? '';
  const get = ['get', id, '--out'];

  t.test('[E11] a link is followed, and stays one', async (t) => {
    const dir = await folder(t);
    const [file, link, nowhere] = [join(dir, 'v.mp4'), join(dir, 'link'), join(dir, 'nowhere')];
    await writeFile(file, 'before');
    await symlink('v.mp4', link);
    await symlink('nothing', nowhere);
    t.match(await ran(url, [...get, link]), { code: 2, stderr: /is there already/ });
    t.match(await ran(url, [...get, link, '--force']), { code: 0, stderr: /wrote .*link, 146 kB\n$/ });
    t.equal(readlinkSync(link), 'v.mp4');
    t.strictSame(await readFile(file), VIDEO);
    for (const force of [[], ['--force']]) {
      t.match(await ran(url, [...get, nowhere, ...force]), {
        code: 2,
        stderr: /is a link that leads nowhere/,
      });
    }
    t.strictSame(await readdir(dir), ['link', 'nowhere', 'v.mp4']);
  });

  t.test('[E11] a device or a pipe is written into, with --force or without', async (t) => {
    const dir = await folder(t);
    const [pipe, device] = [join(dir, 'pipe'), join(dir, 'device')];
    execFileSync('mkfifo', [pipe]);
    await symlink('/dev/null', device);
    for (const force of [[], ['--force']]) {
      const [read, written] = await Promise.all([readFile(pipe), ran(url, [...get, pipe, ...force])]);
      t.match(written, { code: 0, stdout: '' });
      t.strictSame(read, VIDEO);
      t.match(await ran(url, [...get, device, ...force]), { code: 0 });
    }
    t.ok(lstatSync(pipe).isFIFO());
    t.ok(lstatSync(device).isSymbolicLink());
    t.strictSame(await readdir(dir), ['device', 'pipe'], 'nothing is beside them');
    await symlink('/dev/full', join(dir, 'full'));
    t.match(await ran(url, [...get, join(dir, 'full')]), { code: 1, stderr: /cannot be written \(ENOSPC\)/ });
  });

  t.test('[E11] - is stdout, which has nothing else then', async (t) => {
    for (const place of ['-', '/dev/stdout']) {
      const { code, stdout, stderr } = start(url, [...get, place]);
      t.equal(await code, 0);
      t.strictSame(stdout.bytes, VIDEO);
      t.equal(stdout.text, '');
      t.match(stderr.text, /^av_\w+ {2}video\nwrote stdout, 146 kB\n$/);
      t.match(await ran(url, [...get, place, '--json']), { code: 2, stderr: /--json both want stdout/ });
      const shown = start(url, [...get, place], { isTerminal: true });
      t.equal(await shown.code, 2);
      t.match(shown.stderr.text, /stdout is a terminal; --force/);
    }
    const forced = start(url, [...get, '-', '--force'], { isTerminal: true });
    t.equal(await forced.code, 0);
    t.strictSame(forced.stdout.bytes, VIDEO);
  });

  t.test('[E11] - on a disk that is full is told in words', async (t) => {
    const command = `"$0" "$1" get ${id} --out - > /dev/full`;
    const failure = await promisify(execFile)(
      'sh',
      ['-c', command, process.execPath, await gatewayScript()],
      {
        env: { ...process.env, AVATAR_GATEWAY_URL: url },
      },
    ).catch((error: unknown) => error);
    t.match(failure, { code: 1, stderr: /avatar-gateway: stdout cannot be written \(ENOSPC\)\n$/ });
  });

  t.test('[E11] a video that breaks off goes on where it did', async (t) => {
    for (const times of [1, 2]) {
      for (const _ of Array(times)) {
        simulator.inject({ on: 'result', when: 'after', do: { reset: 'mid-body' } });
      }
      const before = simulator.calls('result').length;
      const { code, stdout } = start(url, [...get, '-']);
      t.equal(await code, 0);
      t.strictSame(stdout.bytes, VIDEO);
      t.equal(simulator.calls('result').length, before + times + 1);
    }
  });
});

t.test('media', async (t) => {
  const { url, simulator } = await startApp(t, { gateway: { submitGraceMs: 60_000 } });
  const [portrait, speech] = await Promise.all([readFile(PORTRAIT), readFile(SPEECH)]);
  const facts = {
    image: { source: 'inline', format: 'jpeg', width: 720 },
    audio: { source: 'inline', format: 'mp3' },
  };

  t.test('[E11] - is stdin, for one of the two', async (t) => {
    const image = await ran(url, ['create', '--image', '-', '--audio', SPEECH, '--no-wait'], {
      stdin: Readable.from([portrait.subarray(0, 1000), portrait.subarray(1000)]),
    });
    t.match(image, { code: 0 });
    t.match(await readAvatar(url, image.stdout.trim()), facts);
    const audio = ['create', '--image', PORTRAIT, '--audio', '-', '--no-wait'];
    const heard = await ran(url, audio, { stdin: Readable.from([speech]) });
    t.match(await readAvatar(url, heard.stdout.trim()), facts);

    const paid = simulator.ledger().length;
    const refused = async (args: string[], stdin: Readable, stderr: RegExp) =>
      t.match(await ran(url, args, { stdin }), { code: 2, stdout: '', stderr });
    await refused(
      ['create', '--image', '-', '--audio', '-'],
      Readable.from([portrait]),
      /cannot both be read/,
    );
    await refused(audio, Readable.from([]), /--audio -: is empty/);
    await refused(audio, Readable.from([new Uint8Array(10_000_001)]), /--audio -: has more than 10 MB/);
    const terminal = Object.assign(Readable.from([]), { isTTY: true });
    await refused(audio, terminal, /--audio -: stdin is a terminal/);
    const broken = new Readable({
      read() {
        this.destroy(Object.assign(new Error(), { code: 'EIO' }));
      },
    });
    await refused(audio, broken, /--audio -: cannot be read \(EIO\)/);
    const silent = start(url, audio, { stdin: new Readable({ read() {} }) });
    silent.interrupt();
    t.equal(await silent.code, 130);
    t.equal(simulator.ledger().length, paid);
  });

  t.test('[E11] in a shell: <(...), a pipe on each side, and a reader that leaves', async (t) => {
    const dir = await folder(t);
    const shell = (line: string) =>
      promisify(execFile)('bash', ['-c', line], {
        env: { ...process.env, AVATAR_GATEWAY_URL: url, DIR: dir, PORTRAIT, SPEECH },
      });
    const command = `"${process.execPath}" "${await gatewayScript()}"`;
    const made = simulator.nextTask();
    const running = shell(
      `cat "$SPEECH" | ${command} create --image <(cat "$PORTRAIT") --audio - --out - | cat > "$DIR/v.mp4"`,
    );
    const endedBefore = running.then(({ stderr }) => Promise.reject(new Error(stderr)));
    const { taskId } = await Promise.race([made, endedBefore]);
    simulator.settle(taskId, { end: 'success' });
    const { stderr } = await running;
    t.strictSame(await readFile(join(dir, 'v.mp4')), VIDEO, stderr);
    const [id = ''] = /av_\w+/.exec(stderr) ?? [];
    t.match(await readAvatar(url, id), facts);
    await shell(`${command} get ${id} --out /dev/stdout > "$DIR/same.mp4"`);
    t.strictSame(await readFile(join(dir, 'same.mp4')), VIDEO);
    const { stdout } = await shell(
      `${command} get ${id} --out - --quiet | head -c 10 | wc -c; echo "\${PIPESTATUS[0]}"`,
    );
    t.equal(stdout.trim(), '10\n130', 'and says nothing');
  });

  t.test('a pipe that is no media is refused by the gateway, by its option', async (t) => {
    const args = ['create', ...FILES.slice(0, 2), '--audio', '-', '--check'];
    t.match(await ran(url, args, { stdin: Readable.from([portrait]) }), {
      code: 1,
      stderr: /\n {2}--audio: /,
    });
  });
});
