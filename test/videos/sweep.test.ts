import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DAY_MS, folderFor, pieces, tempDir } from './support.js';

const HOUR_MS = DAY_MS / 24;
/** As the gateway names an avatar, and what it writes before it has a name. */
const idOf = (digit: string) => `av_${digit.repeat(32)}`;
const UUID = '00000000-0000-4000-8000-000000000000';

async function aged(dir: string, name: string, ageMs: number): Promise<void> {
  const file = join(dir, name);
  await writeFile(file, 'abc');
  await age(file, ageMs);
}

async function age(file: string, ageMs: number): Promise<void> {
  const at = (Date.now() - ageMs) / 1000;
  await utimes(file, at, at);
}

/** What is left once a folder was opened, and so swept; and how much of it counts as videos. */
async function swept(t: Test, dir: string): Promise<{ names: string[]; usedBytes: number }> {
  const { folder } = await folderFor(t, { dir, keptForMs: 8 * DAY_MS });
  await folder.close();
  return { names: (await readdir(dir)).sort(), usedBytes: folder.usedBytes };
}

t.test('what a folder is swept of when it is opened', async (t) => {
  const dir = await tempDir(t);
  await aged(dir, `${idOf('0')}.mp4`, 8 * DAY_MS + HOUR_MS);
  await aged(dir, `${idOf('1')}.mp4`, 8 * DAY_MS - HOUR_MS);
  await aged(dir, `${idOf('2')}.${UUID}.part`, 2 * HOUR_MS);
  await aged(dir, `${idOf('3')}.${UUID}.part`, HOUR_MS / 2);
  await aged(dir, `probe-${UUID}.part`, 2 * HOUR_MS);
  await aged(dir, `${idOf('4')}.mp4`, -DAY_MS);

  const { folder, files } = await folderFor(t, { dir, keptForMs: 8 * DAY_MS });
  await folder.keep(idOf('5'), pieces('abc'), null);
  t.same(await files(), [
    `${idOf('1')}.mp4`,
    `${idOf('3')}.${UUID}.part`,
    `${idOf('4')}.mp4`,
    `${idOf('5')}.mp4`,
  ]);
  t.equal(folder.usedBytes, 9);
  t.equal(await readFile(join(dir, `${idOf('1')}.mp4`), 'utf8'), 'abc');
});

t.test("[E2] [F61] files of others are left alone, however old, and are nobody's videos", async (t) => {
  const dir = await tempDir(t);
  const others = [
    'wedding.mp4',
    'holiday 2019.mp4',
    'firefox-download.iso.part',
    'notes.txt',
    'av_old.mp4',
    `${idOf('A')}.mp4`,
    `${idOf('0')}.mp4.bak`,
    `x${idOf('0')}.mp4`,
    `${idOf('0')}0.mp4`,
    `${idOf('0')}.part`,
    `${idOf('0')}.1.part`,
    'probe-1.part',
    '.part',
    '.mp4',
  ];
  for (const name of others) await aged(dir, name, 100 * DAY_MS);
  t.same(await swept(t, dir), { names: others.sort(), usedBytes: 0 });
});

t.test(
  '[E2] [F61] a folder or a link with a name of ours is left, and what is behind it is swept',
  async (t) => {
    const dir = await tempDir(t);
    const elsewhere = join(await tempDir(t), 'film.mp4');
    await writeFile(elsewhere, 'abc');
    await age(elsewhere, 100 * DAY_MS);
    const left: string[] = [];
    for (const digit of ['0', '4', '8', 'c', 'f']) {
      await mkdir(join(dir, `${idOf(digit)}.mp4`));
      await mkdir(join(dir, `${idOf(digit)}.${UUID}.part`));
      await age(join(dir, `${idOf(digit)}.mp4`), 100 * DAY_MS);
      await age(join(dir, `${idOf(digit)}.${UUID}.part`), 100 * DAY_MS);
      left.push(`${idOf(digit)}.mp4`, `${idOf(digit)}.${UUID}.part`);
    }
    await symlink(elsewhere, join(dir, `${idOf('1')}.mp4`));
    left.push(`${idOf('1')}.mp4`);
    for (const digit of ['2', '3', '5', '6', '7', '9', 'a', 'b', 'd', 'e']) {
      await aged(dir, `${idOf(digit)}.mp4`, 100 * DAY_MS);
    }
    const young = `av_${'01'.repeat(16)}.mp4`;
    await aged(dir, young, HOUR_MS);
    t.same(await swept(t, dir), { names: [...left, young].sort(), usedBytes: 3 });
    t.equal(await readFile(elsewhere, 'utf8'), 'abc');
  },
);

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
