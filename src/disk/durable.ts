import { open, writeFile } from 'node:fs/promises';

/** Writes a file for this user only, replacing one of that name. It is on disk when this resolves; its name is not yet. */
export async function writeDurably(file: string, content: string | readonly Buffer[]): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await writeFile(handle, content);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** The names in a folder, as they are, are on disk when this resolves. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
