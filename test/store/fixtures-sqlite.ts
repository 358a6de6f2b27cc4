import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { DATABASE, Database } from '../../src/store/sqlite/database.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { argsFor } from '../support/build.js';
import { avatarOf, dueIn, LONG, SUBMISSION } from './fixtures.js';

const CHILD = argsFor('test/store/sqlite-child');

/** Runs `sqlite-child.ts`; `says` is the next line it says. */
export function child(t: Test, task: string, dir: string, limit = 'true') {
  // tap watches its children by NODE_OPTIONS, with a signal handler that would end one whose disk is full.
  const command = `${limit}; unset NODE_OPTIONS; exec "$0" "$@"`;
  const process_ = spawn('sh', ['-c', command, process.execPath, ...CHILD, task, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void process_.kill('SIGKILL'));
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  return {
    says: async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? 'null'),
    async kill() {
      process_.kill('SIGKILL');
      await once(process_, 'exit');
    },
  };
}

/** Closed with the test. */
export async function open(t: Test, dir: string): Promise<Store> {
  const store = await openSqliteStore({ dir });
  t.teardown(() => store.close());
  return store;
}

export const create = (store: Store, id: string, change: Partial<Avatar> = {}) =>
  store.admit(avatarOf({ id, ...change }), [SUBMISSION], dueIn(LONG));

/** The names of what is kept of submissions. */
export const files = (dir: string): Promise<string[]> => readdir(join(dir, 'media'));

/** The database by hand, also while a store is open. */
export async function byHand<T>(dir: string, work: (db: Database) => T | Promise<T>): Promise<T> {
  const db = new Database(join(dir, DATABASE));
  try {
    return await work(db);
  } finally {
    db.close();
  }
}
