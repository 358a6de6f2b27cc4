/** Rows of `schema.sql`, each with its checksum. */

import { crc32 } from 'node:zlib';
import type { Mode, Status, Step } from '../../domain/avatar.js';
import type { Database, Value } from './database.js';

/** A row that does not fit its checksum. */
export class DamagedRowError extends Error {
  override readonly name = 'DamagedRowError';
}

/** Until when a slot is held that is given back by a write alone. */
export const FOREVER = Number.MAX_SAFE_INTEGER;

const COLUMNS = [
  ...[
    'id',
    'caller',
    'status',
    'step',
    'mode',
    'version',
    'saved',
    'due',
    'due_key',
    'key_id',
    'attempt',
    'intent',
  ],
  ...['created', 'external_id', 'task_id', 'idempotency', 'tag', 'bytes', 'slot_until', 'changed'],
  ...['cost_ms', 'cost_units'],
] as const satisfies readonly (keyof AvatarRow)[];

type Column = (typeof COLUMNS)[number];

/** An avatar's row. `doc` is what is no column. */
export interface AvatarRow {
  readonly seq: number;
  readonly id: string;
  readonly caller: string;
  readonly status: Status;
  readonly step: Step;
  readonly mode: Mode;
  readonly version: number;
  readonly saved: number;
  readonly due: number;
  readonly due_key: string | null;
  readonly key_id: string | null;
  readonly attempt: number;
  readonly intent: string | null;
  readonly created: number;
  readonly external_id: string | null;
  readonly task_id: string | null;
  readonly idempotency: string | null;
  readonly tag: number;
  readonly bytes: number;
  readonly slot_until: number | null;
  readonly changed: number;
  readonly cost_ms: number | null;
  readonly cost_units: number | null;
  readonly doc: Uint8Array;
}

/** What the avatar alone says of its row. */
export type OwnRow = Omit<
  AvatarRow,
  'seq' | 'version' | 'saved' | 'due' | 'tag' | 'bytes' | 'slot_until' | 'changed'
>;

/** An avatar's row that does not fit its checksum. */
export interface DamagedAvatar {
  readonly damaged: true;
  readonly seq: number;
  readonly columns: Uint8Array;
  readonly doc: Uint8Array;
  /** What it says in a column; `null` where it says nothing. */
  guess(name: Column): Value;
}

const SELECT = `select seq, cast(json_array(${COLUMNS.join(', ')}) as blob), cast(doc as blob), cast(crc as integer) from avatars`;

/** Avatars where a condition holds, in an order. */
export function readAvatars(
  db: Database,
  where: string,
  values: readonly Value[],
): (AvatarRow | DamagedAvatar)[] {
  return db.sql(`${SELECT} where ${where}`).all(values).map(avatarIn);
}

export function readAvatar(
  db: Database,
  where: string,
  values: readonly Value[],
): AvatarRow | DamagedAvatar | null {
  const found = db.sql(`${SELECT} where ${where}`).get(values);
  return found === undefined ? null : avatarIn(found);
}

/** A row that is as it was written, to be treated as one that is not. */
export function asDamaged(row: AvatarRow): DamagedAvatar {
  const columns = Buffer.from(JSON.stringify(valuesOf(row)));
  return { damaged: true, seq: row.seq, columns, doc: row.doc, guess: (name) => row[name] };
}

export function insertAvatar(db: Database, row: Omit<AvatarRow, 'seq'>): number {
  const values = valuesOf(row);
  const text = `insert into avatars (${COLUMNS.join(', ')}, doc, crc) values (${'?, '.repeat(values.length + 1)}?)`;
  return db.sql(text).run([...values, row.doc, sumOf(values, row.doc)]).lastInsertRowid;
}

export function deleteAvatar(db: Database, seq: number): void {
  db.sql('delete from avatars where seq = ?').run([seq]);
}

/** Writes the columns that differ, and no others: each costs its indexes. */
export function updateAvatar(db: Database, before: AvatarRow, after: AvatarRow): void {
  const changed = [...COLUMNS, 'doc' as const].filter((name) => before[name] !== after[name]);
  const text = `update avatars set ${changed.map((name) => `${name} = ?, `).join('')}crc = ? where seq = ?`;
  const sum = sumOf(valuesOf(after), after.doc);
  db.sql(text).run([...changed.map((name) => after[name]), sum, after.seq]);
}

function avatarIn([seq, json, bytes, crc]: Value[]): AvatarRow | DamagedAvatar {
  const columns = json as Uint8Array;
  const doc = (bytes as Uint8Array | null) ?? Buffer.alloc(0);
  const values = parsed(columns);
  if (values === null || sumOf(values, doc) !== crc) {
    const guess = (name: Column) => values?.[COLUMNS.indexOf(name)] ?? null;
    return { damaged: true, seq: Number(seq), columns, doc, guess };
  }
  const row: Record<string, unknown> = { seq, doc };
  for (let i = 0; i < COLUMNS.length; i++) row[COLUMNS[i] as Column] = values[i];
  return row as unknown as AvatarRow;
}

function valuesOf(row: Omit<AvatarRow, 'seq'>): Value[] {
  return COLUMNS.map((name) => row[name]);
}

function parsed(columns: Uint8Array): Value[] | null {
  try {
    const values: unknown = JSON.parse(Buffer.from(columns).toString());
    return Array.isArray(values) ? values : null;
  } catch {
    return null;
  }
}

/** A small table of sealed rows: what they are found by, and what they hold. */
export interface Table<Row> {
  readonly name: string;
  readonly keys: readonly (keyof Row & string)[];
  readonly columns: readonly (keyof Row & string)[];
}

/** The rows where a condition holds. @throws DamagedRowError */
export function readRows<Row>(
  db: Database,
  table: Table<Row>,
  where: string,
  values: readonly Value[],
): Row[] {
  const names = table.columns;
  const text = `select cast(json_array(${names.join(', ')}) as blob), cast(crc as integer) from ${table.name} where ${where}`;
  return db
    .sql(text)
    .all(values)
    .map(([bytes, crc]) => {
      const found = parsed(bytes as Uint8Array);
      if (found === null || crc32(JSON.stringify(found)) !== crc) {
        throw new DamagedRowError(`a row of ${table.name} is damaged`);
      }
      return Object.fromEntries(names.map((name, i) => [name, found[i]])) as Row;
    });
}

/** Puts a row, in place of the one with its keys. */
export function writeRow<Row>(db: Database, { name, keys, columns }: Table<Row>, row: Row): void {
  const values = columns.map((column) => row[column] as Value);
  const changes = columns
    .filter((column) => !keys.includes(column))
    .map((column) => `${column} = excluded.${column}`);
  const text = `insert into ${name} (${columns.join(', ')}, crc) values (${'?, '.repeat(columns.length)}?)
    on conflict (${keys.join(', ')}) do update set ${changes.join(', ')}, crc = excluded.crc`;
  db.sql(text).run([...values, crc32(JSON.stringify(values))]);
}

function sumOf(values: readonly Value[], doc: Uint8Array): number {
  return crc32(doc, crc32(JSON.stringify(values)));
}
