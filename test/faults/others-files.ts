/** A folder and a store that are shared: with files of people, with another release, with a second gateway. */

import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Config } from '../../src/config/config.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { tempDir } from '../e2e/support.js';
import { clientOf } from '../store/fixtures-redis.js';
import { until } from '../support/until.js';
import { bytesOf, succeeded } from '../support/video.js';
import type { StoreName } from './cases.js';
import { startWorld } from './world.js';

/** As this release names a video, and what a process that died left of one. */
const OLD = [`av_${'0'.repeat(32)}.mp4`, `av_${'1'.repeat(32)}.00000000-0000-4000-8000-000000000000.part`];
/** Of people, of other programs, and as another release might name its own. */
const OTHERS = ['wedding.mp4', 'film.iso.part', 'av_old.mp4', `av_${'2'.repeat(32)}.v2.mp4`, 'settings.json'];
const YEAR_MS = 366 * 86_400_000;

export async function leavesOthers(t: Test, store: StoreName): Promise<void> {
  const [dir, dataDir] = [await tempDir(t), await tempDir(t)];
  const answers = join(dataDir, 'answers');
  await mkdir(answers);
  const at = (Date.now() - YEAR_MS) / 1000;
  const put = async (folder: string, name: string) => {
    await writeFile(join(folder, name), name);
    await utimes(join(folder, name), at, at);
  };
  for (const folder of [dir, dataDir, answers]) for (const name of OTHERS) await put(folder, name);
  for (const name of OLD) await put(dir, name);

  const keeping = { videos: { keep: { dir, maxBytes: 1_000_000, maxTotalBytes: 1e9 } } };
  const first = await startWorld(t, store, { ...keeping, dataDir });
  const isSwept = async () => !(await readdir(dir)).some((name) => OLD.includes(name)) || null;
  await until('what is its own is swept', isSwept);
  const video = await succeeded(first);
  const own = `${video.split('/').at(-2)}.mp4`;
  await until('it is kept', async () => (await readdir(dir)).includes(own) || null);
  await first.close();
  const record = recordOfAnother(t, first.config);
  await record.put();

  const [again, second] = [await first.restart(), await startWorld(t, store, keeping)];
  await Promise.all([again, second].map(succeeded));
  const kept = await fetch(video.replace(first.url, again.url));
  t.equal((await bytesOf(kept)).length, (await readFile(join(dir, own))).length, 'nor by the second');
  await Promise.all([again.close(), second.close()]);
  t.equal(await record.get(), 'theirs');
  for (const folder of [dir, dataDir, answers]) {
    for (const name of OTHERS)
      t.equal(await readFile(join(folder, name), 'utf8'), name, `${folder}: ${name}`);
  }
}

/** What a release that is not this one has beside the records of this one. The gateway must be closed meanwhile. */
function recordOfAnother(t: Test, { store, dataDir }: Config) {
  if (store.kind === 'redis') {
    const client = clientOf(t, store.url);
    const key = `{${store.keyPrefix}}:another:av_1`;
    return { put: () => client.set(key, 'theirs'), get: () => client.get(key) };
  }
  const key = 'another release';
  const swap = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openSqliteStore({ dir: dataDir });
    return work(store).finally(() => store.close());
  };
  return {
    put: () => swap((store) => store.swap(key, 0, 'theirs')),
    get: () => swap(async (store) => (await store.document(key)).value),
  };
}
