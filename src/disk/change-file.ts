import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDir } from './durable.js';

/**
 * Puts another text in a file's place, whole or not at all. It keeps its mode and its owner, and a link to it stays one; a file
 * that was not there is for this user only.
 * @param change from what is there now; what it throws leaves the file as it is
 * @throws an error of the file system; `EEXIST` where another change of the file is under way, or broke off
 */
export async function changeFile(path: string, change: () => Promise<string>): Promise<void> {
  const file = await realpath(path).catch(() => path);
  // Two changes at once would lose one: the second meets the draft of the first.
  const draft = `${file}.new`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    const text = await change();
    const before = await stat(file).catch(() => null);
    await handle.writeFile(text);
    if (before !== null) {
      await handle.chown(before.uid, before.gid);
      await handle.chmod(before.mode & 0o777);
    }
    await handle.sync();
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  // It is there already. Whoever heard otherwise would do it again, and lose what the first one made.
  await syncDir(dirname(file)).catch(() => {});
}
