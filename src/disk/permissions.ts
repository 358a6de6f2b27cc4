import { stat } from 'node:fs/promises';

/** Read, write or run by anyone; write by the group. Reading by the group is how volumes are shared with a user. */
const LOOSE = 0o027;

/**
 * The permissions of a file that holds secrets, as `0644`, where others than its owner can read or change it; `null` where they
 * cannot, and where it cannot be looked at.
 */
export async function loosePermissions(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || (found.mode & LOOSE) === 0) return null;
  return `0${(found.mode & 0o777).toString(8).padStart(3, '0')}`;
}
