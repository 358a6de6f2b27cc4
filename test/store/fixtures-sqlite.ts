import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { SCHEMA, schemaOf } from '../../src/store/schema.js';
import { DATABASE, Database } from '../../src/store/sqlite/database.js';
import { readAvatar, updateAvatar } from '../../src/store/sqlite/rows.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { argsFor } from '../support/build.js';
import { avatarOf, dueIn, LONG, SUBMISSION } from './fixtures.js';

/** Too large to lie in the database. */
export const LARGE = Buffer.alloc(200_000, 'a');

const CHILD = argsFor('test/store/sqlite-child');

/** Runs `sqlite-child.ts`; `says` is the next line it says. */
export function child(t: Test, task: string, dir: string, limit = 'true', preload: readonly string[] = []) {
  // tap watches its children by NODE_OPTIONS, with a signal handler that would end one whose disk is full.
  const command = `${limit}; unset NODE_OPTIONS; exec "$0" "$@"`;
  const process_ = spawn('sh', ['-c', command, process.execPath, ...preload, ...CHILD, task, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void process_.kill('SIGKILL'));
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  return {
    says: async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? 'null'),
    /** Ends with what it says next. */
    line: async (): Promise<string> => (await lines.next()).value ?? '',
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

/** The document of an avatar, or of one that was quarantined; `null` where there is none. */
export function docOf(db: Database, table: 'avatars' | 'quarantine', id: string): Buffer | null {
  const row = db.sql(`select doc from ${table} where id = ?`).get([id]);
  return row === undefined ? null : (row[0] as Buffer);
}

/** Puts other bytes in the place of a document; those of a release have the checksum of what it wrote. */
export function overwriteDoc(db: Database, id: string, bytes: Buffer): void {
  const row = readAvatar(db, 'id = ?', [id]);
  const isWritten = (schemaOf(bytes) ?? 0) >= SCHEMA;
  if (isWritten && row !== null && !('damaged' in row)) updateAvatar(db, row, { ...row, doc: bytes });
  else db.sql('update avatars set doc = ? where id = ?').run([bytes, id]);
}
