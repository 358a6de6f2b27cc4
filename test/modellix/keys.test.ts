/** Keys: what shows of one, a pool of them, and a pool that follows a file. */

import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { ApiKey } from '../../src/modellix/api-key.js';
import { type KeyFileEvent, keysIn, watchKeyFile } from '../../src/modellix/key-file.js';
import { KeyPool, type Keyring } from '../../src/modellix/keyring.js';

const SECRET = 'mx-secret-0123456789abcdef';
const idOf = (secret: string) => new ApiKey(secret).id;
const secretsOf = (keyring: Keyring) => keyring.keys().map((key) => key.reveal());

t.test('a key shows itself only where it is asked to', async (t) => {
  const key = new ApiKey(SECRET);
  t.equal(key.reveal(), SECRET);
  t.equal(key.id, createHash('sha256').update(SECRET).digest('hex').slice(0, 12));
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  log.info({ key, keys: [key], err: new Error('x', { cause: key }) }, 'key %o', key);
  const shown = [
    JSON.stringify({ key }),
    inspect({ key }, { depth: 9, showHidden: true }),
    format('%s %o %j %O', key, key, key, key),
    String(key),
    JSON.stringify({ ...key }),
    JSON.stringify(structuredClone({ ...key })),
    ...lines,
  ];
  for (const text of shown) t.notMatch(text, /secret-/);
  t.match(shown[0], key.id);
  t.match(shown[1], `ApiKey(${key.id})`);
});

t.test('what could never stand in a header is no key, and is not quoted', async (t) => {
  for (const secret of ['', 'a b', 'a\nb', 'schlüssel', 'a\u0000']) {
    t.throws(() => new ApiKey(secret), new TypeError('an API key must be visible ASCII characters'));
  }
});

t.test('a pool counts a key once, and does not forget one that was taken out', async (t) => {
  const pool = new KeyPool(['a', 'b', 'a']);
  let changes = 0;
  pool.onChange(() => {
    changes += 1;
  });
  t.strictSame(secretsOf(pool), ['a', 'b']);
  t.equal(pool.get(idOf('b'))?.reveal(), 'b');
  t.equal(pool.get('0123456789ab'), null);

  t.notOk(pool.replace(['b', 'a', 'b']), 'the same keys');
  t.equal(changes, 0);
  t.ok(pool.replace(['c', 'a']));
  t.equal(changes, 1);
  t.strictSame(secretsOf(pool), ['c', 'a']);
  t.equal(pool.get(idOf('b'))?.reveal(), 'b', 'its tasks can still be read');
  t.throws(() => pool.replace(['d', 'no key']), TypeError);
  t.strictSame(secretsOf(pool), ['c', 'a'], 'all or nothing');
  t.ok(pool.replace(['b']));
  t.strictSame(secretsOf(pool), ['b'], 'it may come back');
  pool.close();
  pool.replace(['e']);
  t.equal(changes, 2, 'nobody is called after the close');
});

t.test('how keys stand in a file', async (t) => {
  const table: readonly [string, string[]][] = [
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [' a , b ,\r\n\r\nc\n', ['a', 'b', 'c']],
    ['# ours, all of them\na # until March, then b\n#b\n  # c', ['a']],
    ['a#1,b', ['a#1', 'b']],
    ['\ufeffa\n', ['a']],
    ['', []],
    ['\n,,\n# a', []],
  ];
  for (const [text, keys] of table) t.strictSame(keysIn(text), keys, JSON.stringify(text));
});

/** A pool that follows a file, and its next event. */
function watched(t: Test, path: string, secrets: readonly string[]) {
  const events = new EventEmitter<{ event: [KeyFileEvent] }>();
  const keyring = watchKeyFile(path, secrets, (event) => events.emit('event', event));
  // The watch alone keeps no process alive.
  const alive = setInterval(() => {}, 60_000);
  t.teardown(() => {
    clearInterval(alive);
    keyring.close();
  });
  const next = async (change: () => void): Promise<KeyFileEvent> => {
    const event = once(events, 'event');
    change();
    return (await event)[0];
  };
  return { keyring, next, events };
}

t.test('a file that is written over, replaced, spoiled, removed and put back', async (t) => {
  const dir = t.testdir({ keys: 'a,b' });
  const path = join(dir, 'keys');
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const { keyring, next, events } = watched(t, path, ['a', 'b']);
  let said = 0;
  events.on('event', () => {
    said += 1;
  });
  let changes = 0;
  keyring.onChange(() => {
    changes += 1;
  });

  t.strictSame(await next(() => writeFileSync(path, 'b\n# a was here\nc')), { kind: 'changed', keys: 2 });
  t.strictSame(secretsOf(keyring), ['b', 'c']);
  t.equal(keyring.get(idOf('a'))?.reveal(), 'a');
  t.strictSame(await next(() => replace('d,d')), { kind: 'changed', keys: 1 });
  t.equal(changes, 2);

  const nothing = { kind: 'unusable', reason: 'it holds no key' };
  t.strictSame(await next(() => replace('# nothing yet\n')), nothing);
  const spoiled = await next(() => replace('e,hush hush'));
  t.strictSame(spoiled, { kind: 'unusable', reason: 'a key in it is not visible ASCII characters' });
  t.strictSame(await next(() => rmSync(path)), { kind: 'unusable', reason: 'ENOENT' });
  t.strictSame(await next(() => mkdirSync(path)), { kind: 'unusable', reason: 'EISDIR' });
  t.strictSame(secretsOf(keyring), ['d'], 'the keys of before go on');
  t.equal(changes, 2);

  // For as many looks as notice a change, nothing does.
  await watched(t, join(dir, 'none'), []).next(() => {});
  t.equal(said, 6, 'each is said once');

  const back = () => {
    rmSync(path, { recursive: true });
    replace('f');
  };
  t.strictSame(await next(back), { kind: 'changed', keys: 1 });
  t.strictSame(secretsOf(keyring), ['f']);
});

t.test('a volume of Kubernetes: the folder that a link leads to is swapped', async (t) => {
  const dir = t.testdir({ v1: { keys: 'a' }, v2: { keys: 'b' }, v3: { keys: 'b,c' } });
  symlinkSync('v1', join(dir, '..data'));
  symlinkSync(join('..data', 'keys'), join(dir, 'keys'));
  const { keyring, next } = watched(t, join(dir, 'keys'), ['a']);
  const swap = (folder: string) => {
    symlinkSync(folder, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  t.strictSame(await next(() => swap('v2')), { kind: 'changed', keys: 1 });
  t.strictSame(secretsOf(keyring), ['b']);
  t.strictSame(await next(() => swap('v3')), { kind: 'changed', keys: 2 });
  t.strictSame(secretsOf(keyring), ['b', 'c']);
});

t.test('a file that changed after it was first read and before it was watched', async (t) => {
  const dir = t.testdir({ keys: 'b' });
  const { keyring, next } = watched(t, join(dir, 'keys'), ['a']);
  t.strictSame(await next(() => {}), { kind: 'changed', keys: 1 });
  t.strictSame(secretsOf(keyring), ['b']);
});

t.test('the same keys in another file are no event; nothing is said after the close', async (t) => {
  const dir = t.testdir({ keys: 'a', other: 'b' });
  const same = watched(t, join(dir, 'keys'), ['a']);
  const closed = watched(t, join(dir, 'other'), ['a']);
  same.events.on('event', ({ kind }) => t.equal(kind, 'unusable', 'the first that is said'));
  closed.events.on('event', () => t.fail('it was closed'));
  closed.keyring.close();
  closed.keyring.close();
  writeFileSync(join(dir, 'keys'), '# as before\na,a\n');
  // Long enough for both to have said something.
  await watched(t, join(dir, 'other'), ['a']).next(() => {});
  await same.next(() => rmSync(join(dir, 'keys')));
});
