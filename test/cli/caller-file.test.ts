/** The file of callers, changed and shown by commands. */

import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { hashOf } from '../../src/callers/key.js';
import { readCallers } from '../../src/callers/read.js';
import { syncDir } from '../../src/disk/durable.js';
import { folder, ran } from './support.js';

const caller = (file: string, ...args: string[]) =>
  ran('http://127.0.0.1:1', ['caller', ...args], { env: { CALLERS_FILE: file } });
const hashesIn = (file: string) =>
  readCallers(readFileSync(file, 'utf8')).callers.map(({ keyHashes }) =>
    keyHashes.map((hash) => hash.toString('hex')),
  );
const hex = (key: string) => hashOf(key.trim()).toString('hex');

for (const name of ['callers.yaml', 'callers.json']) {
  t.test(`${name}: added, rotated, listed, checked, removed`, async (t) => {
    const file = join(await folder(t), name);
    const first = await caller(file, 'add', 'shop');
    t.match(first, { code: 0, stdout: /^agk_[\w-]{43}\n$/, stderr: /^added shop; .*once:\n$/ });
    t.equal(statSync(file).mode & 0o777, 0o600);
    t.strictSame(hashesIn(file), [[hex(first.stdout)]]);
    chmodSync(file, 0o640);

    const limits = [
      '--mode',
      'std',
      '--queue-share',
      '3',
      '--usd-per-day',
      '1.5',
      '--callback-host',
      '*.a.test',
    ];
    const more = ['--admin', '--with-webhook-secret', '--expires-at', '2020-01-01T00:00:00Z'];
    t.match(await caller(file, 'add', 'old', ...limits, ...more), { code: 0 });
    t.equal(statSync(file).mode & 0o777, 0o640, 'its mode is kept');
    const listed = (await caller(file, 'list', '--json')).stdout.split('\n')[1] ?? '';
    t.match(JSON.parse(listed), {
      name: 'old',
      keys: 1,
      admin: true,
      modes: ['std'],
      queue_share: 3,
      usd_per_day: 1.5,
      webhook_secrets: 1,
      callback_hosts: ['*.a.test'],
      expired: true,
    });
    t.match(
      (await caller(file, 'list')).stdout,
      /^NAME .*\nshop +1 +- +std,pro .*\nold +1 +yes .*\(expired\)\n$/,
    );
    t.strictSame(await caller(file, 'check'), { code: 0, stdout: '2 callers, 1 expired\n', stderr: '' });

    const second = await caller(file, 'rotate', 'shop');
    t.strictSame(hashesIn(file)[0], [hex(first.stdout), hex(second.stdout)]);
    t.match(await caller(file, 'rotate', 'shop'), { code: 2, stdout: '', stderr: /two keys already/ });
    t.match(await caller(file, 'rotate', 'shop', '--finish'), { code: 0, stdout: '' });
    t.strictSame(hashesIn(file)[0], [hex(second.stdout)]);
    t.match(await caller(file, 'rotate', 'shop', '--finish'), { code: 2, stderr: /one key alone/ });

    t.match(await caller(file, 'remove', 'old'), { code: 0, stdout: '', stderr: 'removed old\n' });
    t.match(await caller(file, 'remove', 'shop'), { code: 0 });
    t.match(await caller(file, 'check'), { stdout: '0 callers, 0 expired\n' });
    if (name.endsWith('.json')) t.strictSame(JSON.parse(readFileSync(file, 'utf8')), { callers: [] });
    t.notOk(existsSync(`${file}.new`));
  });
}

t.test('comments stay', async (t) => {
  const file = join(await folder(t), 'callers.yaml');
  const text = `# Ours\ncallers:\n  # the shop\n  - name: shop\n    key_sha256: ${'ab'.repeat(32)} # 2026\n`;
  writeFileSync(file, text);
  t.match(await caller(file, 'add', 'other'), { code: 0 });
  t.ok(readFileSync(file, 'utf8').startsWith(text));
});

t.test('what is refused leaves the file as it is', async (t) => {
  const file = join(await folder(t), 'callers.yaml');
  const refused = async (code: number, stderr: RegExp, ...args: string[]) => {
    const before = existsSync(file) ? readFileSync(file, 'utf8') : null;
    t.match(await caller(file, ...args), { code, stdout: '', stderr }, args.join(' '));
    t.equal(existsSync(file) ? readFileSync(file, 'utf8') : null, before);
  };
  await refused(1, /cannot be read \(ENOENT\)/, 'rotate', 'shop');
  await refused(2, /cannot be read \(ENOENT\)/, 'list');
  await refused(2, /NAME must be up to 64/, 'add', 'Shop');
  await refused(2, /--queue-share must be a whole number from 1 to 100/, 'add', 'shop', '--queue-share', '0');
  await refused(2, /--mode must be a list/, 'add', 'shop', '--mode', 'max');
  await refused(2, /Not a number/, 'add', 'shop', '--usd-per-day', 'all');
  t.match(await caller(file, 'add', 'shop'), { code: 0 });
  await refused(2, /there is a caller shop already/, 'add', 'shop');
  await refused(2, /there is no caller other/, 'remove', 'other');
  writeFileSync(`${file}.new`, '');
  await refused(1, /another command.*remove .*callers\.yaml\.new/, 'add', 'other');
  chmodSync(file, 0o644);
  t.match(await caller(file, 'check'), { code: 0, stderr: /by others: its mode is 0644/ });
  writeFileSync(file, 'callers:\n- name: hush\n');
  await refused(1, /callers\[0\]\.key_sha256 \(line 2\) is missing/, 'check');
  const old = await ran('http://127.0.0.1:1', ['client', 'add', 'shop', '--file', file, '--admin']);
  t.match(old, {
    code: 2,
    stdout: '',
    stderr: /^avatar-gateway: client is called caller now.* caller add NAME\n$/,
  });
  const variable = await ran('http://127.0.0.1:1', ['caller', 'list'], { env: { CLIENTS_FILE: file } });
  t.match(variable, { code: 2, stderr: /CLIENTS_FILE is called CALLERS_FILE now/ });
  t.match(await caller('', 'list'), { code: 2, stderr: /--file, or CALLERS_FILE, has to say/ });
});

t.test('[E21] a new key is shown where the system does not sync folders, or fails to', async (t) => {
  const dir = await folder(t);
  const handle = await open(dir);
  const kind = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { sync } = kind;
  t.teardown(() => {
    kind.sync = sync;
  });
  for (const code of ['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP', 'EIO']) {
    kind.sync = async function (this: FileHandle) {
      if (!(await this.stat()).isDirectory()) return sync.call(this);
      throw Object.assign(new Error(code), { code, syscall: 'fsync' });
    };
    const file = join(dir, code);
    const added = await caller(file, 'add', 'shop');
    t.match(added, { code: 0, stdout: /^agk_[\w-]{43}\n$/ }, code);
    t.strictSame(hashesIn(file), [[hex(added.stdout)]]);
    const synced = syncDir(dir);
    await (code === 'EIO' ? t.rejects(synced, { code }) : t.resolves(synced));
  }
});
