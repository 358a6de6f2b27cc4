import { open, writeFile } from 'node:fs/promises';

/** Writes a file for this user only, replacing one of that name. It is on disk when this resolves; its name is not yet. */
export async function writeDurably(
  file: string,
  content: string | readonly Buffer[] | AsyncIterable<Buffer>,
): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await writeFile(handle, content);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** What systems say that do not sync folders: Windows, CIFS and other network file systems. */
const NOT_SYNCED: ReadonlySet<unknown> = new Set(['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP']);

/** The names in a folder, as they are, are on disk when this resolves; where the system can do that. */
export async function syncDir(dir: string): Promise<void> {
  try {
    const handle = await open(dir, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!NOT_SYNCED.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}
