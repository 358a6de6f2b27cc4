import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { UsageError } from './failure.js';

/**
 * What an option points at: a URL as it is, or a file, of which nothing is read before it is sent.
 * @throws {UsageError} that names the option
 */
export async function mediaAt(option: string, place: string): Promise<string | Blob> {
  if (/^https?:\/\//i.test(place)) return place;
  const found = await stat(place).catch(({ code }: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${option} ${place}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}`,
    );
  });
  if (!found.isFile()) throw new UsageError(`${option} ${place}: not a file`);
  return openAsBlob(place).catch(() => {
    throw new UsageError(`${option} ${place}: cannot be read`);
  });
}
