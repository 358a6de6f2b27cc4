import { mkdirSync } from 'node:fs';

/**
 * Makes a folder for this user only, with those above it. Synchronous: the promised one never settles, and keeps a
 * core busy, where a folder that is there refuses entries with ENOENT, as /proc does (Node.js 20).
 */
export function makeDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
}
