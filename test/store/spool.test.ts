import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openSpool } from '../../src/store/spool.js';

const never = () => t.fail('nothing is corrupt');

t.test('an entry outlives its process, is replaced by name, and goes when removed', async (t) => {
  const dir = join(t.testdir(), 'answers');
  const spool = await openSpool<{ n: number }>(dir);
  await spool.put('av_1.1', { n: 1 });
  await spool.put('av_1.1', { n: 2 });
  await spool.put('av_2.1', { n: 3 });
  const next = await openSpool<{ n: number }>(dir);
  t.same(
    (await next.all(never)).sort((a, b) => a.n - b.n),
    [{ n: 2 }, { n: 3 }],
  );
  await next.remove('av_1.1');
  await next.remove('av_1.1');
  t.same(await next.all(never), [{ n: 3 }]);
});

t.test('an entry that cannot be read is kept out of the way, and said', async (t) => {
  const dir = t.testdir({ 'av_1.1.json': '{"n":' });
  const spool = await openSpool<{ n: number }>(dir);
  await spool.put('av_2.1', { n: 2 });
  const corrupt: string[] = [];
  t.same(await spool.all((file) => corrupt.push(file)), [{ n: 2 }]);
  t.same(corrupt, ['av_1.1.json']);
  t.same((await readdir(dir)).sort(), ['av_1.1.json.corrupt', 'av_2.1.json']);
});

t.test('half a write is no entry', async (t) => {
  const dir = t.testdir();
  const spool = await openSpool(dir);
  await writeFile(join(dir, 'av_1.1.json.part'), '{}');
  t.same(await spool.all(never), []);
});

t.test('a folder that cannot be written is found out at the start', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file', 'answers');
  await t.rejects(openSpool(file), { code: 'ENOTDIR' });
});
