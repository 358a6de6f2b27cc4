import { lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export const VIDEO = '.mp4';
/** A video that is being written, or was when its process died. */
export const PART = '.part';

/** The names that are made here, see folder.ts. A folder may be shared: files of any other name are somebody else's. */
const OUR_VIDEO = /^av_[0-9a-f]{32}\.mp4$/;
const OUR_PART = /^(?:av_[0-9a-f]{32}\.|probe-)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

/** Nothing that is still being written was last written to so long ago. */
const PART_MS = 3_600_000;

/**
 * Removes parts that were left by processes that died, and videos that are older than anybody wants them. Only regular
 * files with names of our own making are removed or counted.
 * @param onTrouble told of what could not be removed; the rest is swept all the same
 * @returns how many bytes of videos are there
 */
export async function sweep(
  dir: string,
  keptForMs: number,
  onTrouble: (error: unknown) => void,
): Promise<number> {
  let bytes = 0;
  for await (const { name } of await opendir(dir)) {
    const isVideo = OUR_VIDEO.test(name);
    if (!isVideo && !OUR_PART.test(name)) continue;
    const file = join(dir, name);
    const found = await lstat(file).catch(() => null); // `null`: it is gone meanwhile.
    if (found === null || !found.isFile()) continue;
    if (Date.now() - found.mtimeMs > (isVideo ? keptForMs : PART_MS)) {
      await rm(file, { force: true }).catch(onTrouble);
    } else if (isVideo) bytes += found.size;
  }
  return bytes;
}
