/** Folders of kept videos, and bodies of every kind. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Test } from 'tap';
import { openVideoFolder, type VideoFolder, type VideoFolderOptions } from '../../src/videos/folder.js';

export const DAY_MS = 86_400_000;

export async function tempDir(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-videos-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A folder in which a test finds no trouble that it did not ask for. */
export async function folderFor(
  t: Test,
  options: Partial<VideoFolderOptions> = {},
): Promise<{ folder: VideoFolder; dir: string; files: () => Promise<string[]> }> {
  const dir = options.dir ?? (await tempDir(t));
  const folder = await openVideoFolder({
    dir,
    maxBytes: 1_000_000,
    maxTotalBytes: 10_000_000,
    keptForMs: 8 * DAY_MS,
    onTrouble: (error) => t.fail(String(error)),
    ...options,
  });
  t.teardown(() => folder.close());
  return { folder, dir, files: async () => (await readdir(dir)).sort() };
}

/** A body that comes in pieces. */
export async function* pieces(...all: (string | Buffer | Error)[]): AsyncGenerator<Buffer> {
  for (const piece of all) {
    if (piece instanceof Error) throw piece;
    yield Buffer.from(piece);
  }
}

export const GET = { method: 'GET', signal: new AbortController().signal } as const;

export async function textOf(body: Readable): Promise<string> {
  return Buffer.concat(await body.toArray()).toString();
}
