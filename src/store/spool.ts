/**
 * A folder of small JSON files, one an entry: what must outlive the process while the store cannot take it.
 * An entry is on disk before `put` resolves.
 */

import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDir, writeDurably } from '../disk/durable.js';
import { makeDir } from '../disk/make-dir.js';

const SUFFIX = '.json';
/** The names that the gateway makes: an avatar's id and that of its intent. Files of any other name are somebody else's. */
const OURS = /^av_[0-9a-f]{32}\.[\w-]+\.json$/;
/** What a process was writing when it was killed. */
const OUR_PART = /^av_[0-9a-f]{32}\.[\w-]+\.json\.part$/;

export interface Spool<T> {
  /** Writes an entry, replacing one of the same name. `name`: an avatar's id, a dot, and letters, digits, `_` and `-`. */
  put(name: string, value: T): Promise<void>;
  /** Forgets an entry; one that is not there is fine. */
  remove(name: string): Promise<void>;
  /** Every entry. One that is not JSON is renamed out of the way and named to `onCorrupt`. */
  all(onCorrupt: (file: string) => void): Promise<T[]>;
}

/** @throws the file system's error where `dir` cannot be made or written */
export async function openSpool<T>(dir: string): Promise<Spool<T>> {
  const fileOf = (name: string) => join(dir, name + SUFFIX);
  makeDir(dir);
  // A folder that cannot be written is found out now, not when an answer has to go there.
  const probe = join(dir, '.probe');
  await writeDurably(probe, '');
  await rm(probe, { force: true });
  for (const { name } of (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isFile()))
    if (OUR_PART.test(name)) await rm(join(dir, name), { force: true });
  return {
    async put(name, value) {
      const file = fileOf(name);
      await writeDurably(`${file}.part`, JSON.stringify(value));
      await rename(`${file}.part`, file);
      await syncDir(dir); // A rename is on disk once its folder is.
    },
    remove: (name) => rm(fileOf(name), { force: true }),
    async all(onCorrupt) {
      const values: T[] = [];
      for (const entry of await readdir(dir, { withFileTypes: true })) {
        if (!entry.isFile() || !OURS.test(entry.name)) continue;
        const file = join(dir, entry.name);
        try {
          values.push(JSON.parse(await readFile(file, 'utf8')) as T);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          await rename(file, `${file}.corrupt`);
          onCorrupt(entry.name);
        }
      }
      return values;
    },
  };
}
