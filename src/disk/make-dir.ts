import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder for this user only, with those above it. One at a time, since `recursive` never ends and keeps a
 * core busy where a folder that is there refuses entries with ENOENT, as /proc does (Node.js 20).
 */
export function makeDir(dir: string): void {
  const path = resolve(dir);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeDir(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}
