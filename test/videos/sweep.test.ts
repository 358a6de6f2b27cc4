import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { DAY_MS, folderFor, pieces, tempDir } from './support.js';

const HOUR_MS = DAY_MS / 24;

t.test('what a folder is swept of when it is opened', async (t) => {
  const dir = await tempDir(t);
  const aged = async (name: string, ageMs: number) => {
    const file = join(dir, name);
    await writeFile(file, 'abc');
    const at = (Date.now() - ageMs) / 1000;
    await utimes(file, at, at);
  };
  await aged('av_old.mp4', 8 * DAY_MS + HOUR_MS);
  await aged('av_young.mp4', 8 * DAY_MS - HOUR_MS);
  await aged('av_dead.1.part', 2 * HOUR_MS);
  await aged('av_written.1.part', HOUR_MS / 2);
  await aged('av_ahead.mp4', -DAY_MS);
  await aged('others.txt', 100 * DAY_MS);
  await mkdir(join(dir, 'others'));

  const { folder, files } = await folderFor(t, { dir, keptForMs: 8 * DAY_MS });
  await folder.keep('av_new', pieces('abc'), null);
  t.same(await files(), [
    'av_ahead.mp4',
    'av_new.mp4',
    'av_written.1.part',
    'av_young.mp4',
    'others',
    'others.txt',
  ]);
  t.equal(folder.usedBytes, 9);
  t.equal(await readFile(join(dir, 'av_young.mp4'), 'utf8'), 'abc');
});

t.test('trouble is told, and the rest goes on', async (t) => {
  const dir = await tempDir(t);
  const told: unknown[] = [];
  const { folder } = await folderFor(t, { dir, onTrouble: (error) => void told.push(error) });
  await folder.keep('av_1', pieces('abc'), null);
  await folder.remove('av_1');
  t.same(told, []);
  await mkdir(join(dir, 'av_2.mp4'));
  await folder.remove('av_2');
  t.equal(told.length, 1);
  t.match(await folder.keep('av_2', pieces('abc'), null), { refused: 'disk', reason: /EISDIR|ENOTEMPTY/ });
});
