import { opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const VIDEO = '.mp4';
/** A video that is being written, or was when its process died. */
export const PART = '.part';

/** Nothing that is still being written was last written to so long ago. */
const PART_MS = 3_600_000;

/**
 * Removes what is left of processes that died, and videos that are older than anybody wants them; other files are none of
 * ours. Returns how many bytes of videos are there.
 */
export async function sweep(dir: string, keptForMs: number): Promise<number> {
  let bytes = 0;
  for await (const { name } of await opendir(dir)) {
    const isVideo = name.endsWith(VIDEO);
    if (!isVideo && !name.endsWith(PART)) continue;
    const file = join(dir, name);
    const { size, mtimeMs } = await statOf(file);
    if (Date.now() - mtimeMs > (isVideo ? keptForMs : PART_MS)) await rm(file, { force: true });
    else if (isVideo) bytes += size;
  }
  return bytes;
}

/** Of a file that is gone meanwhile: of no size, and new. */
async function statOf(file: string): Promise<{ size: number; mtimeMs: number }> {
  return stat(file).catch(() => ({ size: 0, mtimeMs: Date.now() }));
}
