/** Copies of the database, made while a gateway runs. */

import { link, open, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDir } from '../../disk/durable.js';
import { DATABASE, Database } from './database.js';
import { readAvatars, updateAvatar } from './rows.js';
import { DROPPED } from './submissions.js';

/** Names the submits of avatars that a copy found in the queue. */
const INTENT = 'backup';

/**
 * Writes a copy of the database of a directory to a file that is not there yet. Nobody can know of what waits in the queue whether it
 * was submitted after the copy was made. So it stands in the copy as what was being submitted, which is never submitted again: a
 * gateway on the copy makes it `unconfirmed`. The bytes to submit are not in it.
 * @returns how many avatars it has
 * @throws an error of the file system, `EEXIST` where the file is there; or of the driver
 */
export async function backUp(dir: string, file: string): Promise<number> {
  const [target, draft] = [resolve(file), resolve(`${file}.part`)];
  await open(join(dir, DATABASE), 'r').then((handle) => handle.close());
  // VACUUM INTO takes an empty file, so that it is this user's from the start.
  await open(draft, 'wx', 0o600).then((handle) => handle.close());
  try {
    const source = new Database(join(dir, DATABASE));
    try {
      source.sql('vacuum into ?').run([draft]);
    } finally {
      source.close();
    }
    const count = withdraw(draft);
    const handle = await open(draft, 'r');
    await handle.sync().finally(() => handle.close());
    await link(draft, target); // Refuses one that is there; a rename would not.
    await syncDir(dirname(target));
    return count;
  } finally {
    await rm(draft, { force: true });
  }
}

function withdraw(file: string): number {
  const db = new Database(file);
  try {
    db.exec('begin');
    for (const row of readAvatars(db, 'sum is not null', [])) {
      if ('damaged' in row) continue;
      const submitting = { status: 'submitting', attempt: row.attempt + 1, intent: INTENT, due: 0 } as const;
      const version = row.version + 1;
      const queued = row.status === 'queued' ? { ...submitting, version, saved: version } : {};
      updateAvatar(db, row, { ...row, ...queued, ...DROPPED });
    }
    db.exec('update avatars set submission = null where submission is not null; commit; vacuum');
    return Number(db.sql('select count(*) from avatars').get([])?.[0]);
  } finally {
    db.close();
  }
}
