/** The small tables of `schema.sql`, held in memory as far as they were read: however often a row changes, a commit writes it once. */

import { crc32 } from 'node:zlib';
import type { Database, Value } from './database.js';

/** A row that does not fit its checksum. */
export class DamagedRowError extends Error {
  override readonly name = 'DamagedRowError';
}

/** Of each table, at most so many rows stay in memory after a commit. */
const MAX_KEPT = 10_000;

export interface StateRow {
  readonly one: 1;
  commits: number;
  place: number;
  clock: number;
}

export interface CallerRow {
  readonly name: string;
  served: number;
  changed: number;
}

export const SUMS = [
  ...(['reserved_avatars', 'reserved_ms', 'reserved_units'] as const),
  ...(['settled_avatars', 'settled_ms', 'settled_units', 'settled_estimated', 'settled_billed'] as const),
];
export type Sum = (typeof SUMS)[number];
export type AccountRow = Readonly<Record<'caller' | 'day' | 'mode', string>> & Record<Sum, number>;

interface KeyRow {
  readonly id: string;
  readonly tat: number;
  readonly submits_in_a_row: number;
}

interface DocumentRow {
  readonly name: string;
  readonly revision: number;
  readonly value: string;
}

export class Table<Row> {
  readonly #db: Database;
  readonly #name: string;
  /** The first of them are what a row is found by. */
  readonly #columns: readonly (keyof Row & string)[];
  readonly #one: string;
  readonly #write: string;
  readonly #keyOf: (row: Row) => string;
  readonly #rows = new Map<string, Row | null>();
  readonly #changed = new Map<string, Row>();

  constructor(
    db: Database,
    name: string,
    keys: readonly (keyof Row & string)[],
    values: readonly (keyof Row & string)[],
  ) {
    this.#db = db;
    this.#name = name;
    this.#columns = [...keys, ...values];
    this.#one = keys.map((key) => `${key} = ?`).join(' and ');
    const changes = [...values, 'crc'].map((column) => `${column} = excluded.${column}`);
    this.#write = `insert into ${name} (${this.#columns.join(', ')}, crc) values (${'?, '.repeat(this.#columns.length)}?)
      on conflict (${keys.join(', ')}) do update set ${changes.join(', ')}`;
    const [key, ...more] = keys;
    this.#keyOf = (row) => more.reduce((text, each) => `${text}\0${row[each]}`, `${key && row[key]}`);
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** @throws DamagedRowError */
  get(...keys: readonly (string | number)[]): Row | null {
    const key = keys.length === 1 ? String(keys[0]) : keys.join('\0');
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.select(this.#one, keys)[0] ?? null;
      this.#rows.set(key, row);
    }
    return row;
  }

  /** A row that is new, or was changed in place. */
  put(row: Row): void {
    const key = this.#keyOf(row);
    this.#rows.set(key, row);
    this.#changed.set(key, row);
  }

  /** The rows where a condition holds. @throws DamagedRowError */
  select(where: string, values: readonly Value[] = []): Row[] {
    this.write();
    const text = `select cast(json_array(${this.#columns.join(', ')}) as blob), cast(crc as integer) from ${this.#name} where ${where}`;
    return this.#db
      .sql(text)
      .all(values)
      .map(([bytes, crc]) => {
        const found = jsonIn(bytes as Uint8Array);
        if (found === null || crc32(JSON.stringify(found)) !== crc)
          throw new DamagedRowError(`a row of ${this.#name} is damaged`);
        return Object.fromEntries(this.#columns.map((name, i) => [name, found[i]])) as Row;
      });
  }

  /** Writes what was changed. */
  write(): void {
    for (const row of this.#changed.values()) {
      const values = this.#columns.map((column) => row[column] as Value);
      this.#db.sql(this.#write).run([...values, crc32(JSON.stringify(values))]);
    }
    this.#changed.clear();
    if (this.#rows.size > MAX_KEPT) this.#rows.clear();
  }

  /** Rows are as the database has them. */
  forget(): void {
    this.#rows.clear();
    this.#changed.clear();
  }
}

export function tablesOf(db: Database) {
  return {
    state: new Table<StateRow>(db, 'state', ['one'], ['commits', 'place', 'clock']),
    callers: new Table<CallerRow>(db, 'callers', ['name'], ['served', 'changed']),
    keys: new Table<KeyRow>(db, 'keys', ['id'], ['tat', 'submits_in_a_row']),
    documents: new Table<DocumentRow>(db, 'documents', ['name'], ['revision', 'value']),
    accounts: new Table<AccountRow>(db, 'accounts', ['caller', 'day', 'mode'], SUMS),
  };
}

/** The values in a JSON array; `null` where it is none. */
export function jsonIn(bytes: Uint8Array): Value[] | null {
  try {
    const values: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
    return Array.isArray(values) ? values : null;
  } catch {
    return null;
  }
}
