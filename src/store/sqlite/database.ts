/** Opens the database of a directory, for one process, and says so where it is damaged. Runs in the thread of the store. */

import { closeSync, constants, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import Libsql from 'libsql';
import { LRUCache } from 'lru-cache';

/** What a statement takes and gives. Texts are read as blobs: the driver ends the process at one that is not UTF-8. */
export type Value = string | number | null | Uint8Array;

interface Statement {
  run(values: readonly Value[]): { readonly changes: number; readonly lastInsertRowid: number };
  get(values: readonly Value[]): Value[] | undefined;
  all(values: readonly Value[]): Value[][];
}

export const DATABASE = 'avatars.db';
const LOCK = 'avatars.lock';
const ACKNOWLEDGED = 'avatars.acknowledged';
/** How long a write waits for another program that writes. */
const BUSY_MS = 2_000;
/** While the database is checked, of which each page is read many times; then what SQLite takes by default. */
const CHECK_CACHE_KB = 256_000;
const CACHE_KB = 8_000;
/** Pages in the log before they go to their places, which costs more flushes: 16 MB. */
const LOG_PAGES = 4_000;
/** Twice as many as there are without those of lists. */
const MAX_STATEMENTS = 150;
const SCHEMA = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');

/** Why a database is not opened. The message is for whoever starts the gateway. */
export class OpenError extends Error {
  readonly reason: 'locked' | 'damaged' | 'unusable';
  constructor(reason: OpenError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export class Database {
  readonly #db: Libsql.Database;
  /** Callers have a say in what is listed, and so in how many there are. */
  readonly #statements = new LRUCache<string, Statement>({ max: MAX_STATEMENTS });

  constructor(file: string) {
    this.#db = new Libsql(file, { timeout: BUSY_MS });
  }

  /** The statement of a text, prepared once. */
  sql(text: string): Statement {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      const prepared = this.#db.prepare(text);
      statement = (prepared.reader ? prepared.raw() : prepared) as unknown as Statement;
      this.#statements.set(text, statement);
    }
    return statement;
  }

  exec(text: string): void {
    this.#db.exec(text);
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  close(): void {
    this.#db.close();
  }
}

/**
 * How many commits were acknowledged, in a file beside the database: written behind each commit, before anyone is told of it.
 * SQLite drops what it cannot read at the end of its log without a word. A database with fewer commits than this has lost some.
 * It is not flushed: it outlives the process, and after a power cut it may say less than there was, never more.
 */
export class Acknowledged {
  readonly #fd: number;

  constructor(dir: string) {
    this.#fd = openSync(join(dir, ACKNOWLEDGED), constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** 0 in a new file. @throws OpenError */
  read(): number {
    const text = Buffer.alloc(64);
    const length = readSync(this.#fd, text, 0, text.length, 0);
    if (length === 0) return 0;
    const [, count = '', sum] = /^(\d+) (\d+)\n$/.exec(text.toString('latin1', 0, length)) ?? [];
    if (Number(sum) === crc32(count)) return Number(count);
    throw new OpenError('damaged', `${ACKNOWLEDGED} cannot be read`);
  }

  write(commits: number): void {
    const count = String(commits).padStart(16, '0');
    try {
      writeSync(this.#fd, `${count} ${String(crc32(count)).padStart(10, '0')}\n`, 0);
    } catch {
      // It says less than there is, which is no harm.
    }
  }

  close(): void {
    fsyncSync(this.#fd);
    closeSync(this.#fd);
  }
}

/** Belongs to this process until it ends, however it does. @throws OpenError */
export function lock(dir: string): Database {
  const db = new Database(join(dir, LOCK));
  try {
    db.exec('pragma journal_mode = off; pragma locking_mode = exclusive; begin exclusive');
    return db;
  } catch (cause) {
    db.close();
    throw isBusy(cause)
      ? new OpenError('locked', 'in use by another process')
      : new OpenError('unusable', `${LOCK} cannot be locked`, { cause });
  }
}

/** @throws OpenError, or the driver's error */
export function open(dir: string): Database {
  // For this user only, which SQLite takes over for the files beside it.
  closeSync(openSync(join(dir, DATABASE), constants.O_RDWR | constants.O_CREAT, 0o600));
  const db = new Database(join(dir, DATABASE));
  try {
    db.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma cell_size_check = on;
      pragma wal_autocheckpoint = ${LOG_PAGES};
      pragma cache_size = -${CHECK_CACHE_KB}`);
    if (db.sql('select count(*) from sqlite_schema').get([])?.[0] === 0) db.exec(`begin; ${SCHEMA}; commit`);
    check(db);
    db.exec(`pragma cache_size = -${CACHE_KB}; pragma shrink_memory`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Tables and indexes are whole and agree, and are those that this release makes. */
function check(db: Database): void {
  const [found] = db.sql('select cast(integrity_check as blob) from pragma_integrity_check(1)').get([]) ?? [];
  if (String(found) !== 'ok') throw new OpenError('damaged', `${DATABASE} is damaged (${oneLine(found)})`);
  if (schemaOf(db) !== expectedSchema()) {
    throw new OpenError('damaged', `the tables of ${DATABASE} are not those of this release`);
  }
}

function expectedSchema(): string {
  const db = new Database(':memory:');
  db.exec(SCHEMA);
  const schema = schemaOf(db);
  db.close();
  return schema;
}

function schemaOf(db: Database): string {
  const rows = db
    .sql('select cast(type || name || tbl_name || coalesce(sql, 1) as blob) from sqlite_schema')
    .all([]);
  return rows.map(String).sort().join('\n');
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message);
}

function oneLine(value: unknown): string {
  return String(value)
    .replace(/[^ -~]+/g, ' ')
    .slice(0, 120);
}
