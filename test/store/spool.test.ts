import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openSpool } from '../../src/store/spool.js';

/** As answers are named: by an avatar and its intent. */
const FIRST = `av_${'1'.repeat(32)}.Aa0-_bcdefgh`;
const SECOND = `av_${'2'.repeat(32)}.Aa0-_bcdefgh`;

const never = () => t.fail('nothing is corrupt');

t.test('an entry outlives its process, is replaced by name, and goes when removed', async (t) => {
  const dir = join(t.testdir(), 'answers');
  const spool = await openSpool<{ n: number }>(dir);
  await spool.put(FIRST, { n: 1 });
  await spool.put(FIRST, { n: 2 });
  await spool.put(SECOND, { n: 3 });
  const next = await openSpool<{ n: number }>(dir);
  t.same(
    (await next.all(never)).sort((a, b) => a.n - b.n),
    [{ n: 2 }, { n: 3 }],
  );
  await next.remove(FIRST);
  await next.remove(FIRST);
  t.same(await next.all(never), [{ n: 3 }]);
});

t.test('what was being written when the process was killed goes at the next start', async (t) => {
  const dir = t.testdir({ [`${FIRST}.json.part`]: '{"n":', 'notes.json.part': 'of somebody else' });
  const spool = await openSpool<{ n: number }>(dir);
  t.same(await spool.all(never), []);
  t.same(await readdir(dir), ['notes.json.part']);
});

t.test('an entry that cannot be read is kept out of the way, and said', async (t) => {
  const dir = t.testdir({ [`${FIRST}.json`]: '{"n":' });
  const spool = await openSpool<{ n: number }>(dir);
  await spool.put(SECOND, { n: 2 });
  const corrupt: string[] = [];
  t.same(await spool.all((file) => corrupt.push(file)), [{ n: 2 }]);
  t.same(corrupt, [`${FIRST}.json`]);
  t.same((await readdir(dir)).sort(), [`${FIRST}.json.corrupt`, `${SECOND}.json`]);
});

t.test(
  '[F61] files of others, and a folder with a name of ours, are no entries and stay as they are',
  async (t) => {
    const dir = t.testdir();
    const spool = await openSpool<{ n: number }>(dir);
    const others = ['settings.json', 'package.json', 'av_1.1.json', `${FIRST}.json.bak`, `x${FIRST}.json`];
    for (const name of others) await writeFile(join(dir, name), 'not JSON');
    await mkdir(join(dir, `${FIRST}.json`));
    await spool.put(SECOND, { n: 2 });
    t.same(await spool.all(never), [{ n: 2 }]);
    t.same((await readdir(dir)).sort(), [...others, `${FIRST}.json`, `${SECOND}.json`].sort());
    for (const name of others) t.equal(await readFile(join(dir, name), 'utf8'), 'not JSON');
  },
);

t.test('half a write is no entry', async (t) => {
  const dir = t.testdir();
  const spool = await openSpool(dir);
  await writeFile(join(dir, `${FIRST}.json.part`), '{}');
  t.same(await spool.all(never), []);
});

t.test('a folder that cannot be written is found out at the start', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file', 'answers');
  await t.rejects(openSpool(file), { code: 'ENOTDIR' });
});
