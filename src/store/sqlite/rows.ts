/** Rows of `schema.sql`, each with its checksum. */

import { crc32 } from 'node:zlib';
import type { Mode, Status, Step } from '../../domain/avatar.js';
import type { Database, Value } from './database.js';
import { jsonIn } from './tables.js';

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
  ...['created', 'external_id', 'task_id', 'idempotency', 'tag', 'bytes', 'sum', 'file', 'slot_until'],
  ...['changed', 'cost_ms', 'cost_units', 'cost_billed'],
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
  readonly sum: number | null;
  readonly file: string | null;
  readonly slot_until: number | null;
  readonly changed: number;
  readonly cost_ms: number | null;
  readonly cost_units: number | null;
  readonly cost_billed: number | null;
  readonly doc: Uint8Array;
}

/** What the avatar alone says of its row. */
export type OwnRow = Omit<
  AvatarRow,
  'seq' | 'version' | 'saved' | 'due' | 'tag' | 'bytes' | 'sum' | 'file' | 'slot_until' | 'changed'
>;

/** As it comes from the main thread: a text costs a message less than bytes. */
export type SentRow = Omit<OwnRow, 'doc'> & { readonly doc: string };

/** A row that was sent, which is the thread's own: a copy of it would cost more than all else that is done here. */
export const received = (row: SentRow): OwnRow =>
  Object.assign(row as unknown as OwnRow, { doc: Buffer.from(row.doc) });

/** An avatar's row that does not fit its checksum. */
export interface DamagedAvatar {
  /** Its columns as they were found. */
  readonly damaged: Uint8Array;
  readonly seq: number;
  readonly doc: Uint8Array;
  /** What it says in them; `null` where it says nothing. */
  readonly row: Readonly<Record<Column, Value>>;
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
  return { damaged: Buffer.from(JSON.stringify(valuesOf(row))), seq: row.seq, doc: row.doc, row };
}

const INSERT = `insert into avatars (${COLUMNS.join(', ')}, doc, crc, submission) values (${'?, '.repeat(COLUMNS.length + 2)}?)`;

export function insertAvatar(db: Database, row: AvatarRow, submission: Uint8Array | null): number {
  const values = valuesOf(row);
  return db.sql(INSERT).run([...values, row.doc, sumOf(values, row.doc), submission]).lastInsertRowid;
}

export function deleteAvatar(db: Database, seq: number): void {
  db.sql('delete from avatars where seq = ?').run([seq]);
}

const WRITTEN = [...COLUMNS, 'doc'] as const;

/** Statements by the columns that they write, as bits. */
const updates = new Map<number, string>();

/** Writes the columns that differ, and no others: each costs its indexes. The submission goes with its sum. */
export function updateAvatar(db: Database, before: AvatarRow, after: AvatarRow): void {
  let bits = 0;
  const values: Value[] = [];
  WRITTEN.forEach((name, i) => {
    if (before[name] === after[name]) return;
    bits |= 1 << i;
    values.push(after[name]);
  });
  let text = updates.get(bits);
  if (text === undefined) {
    const names = WRITTEN.filter((_, i) => bits & (1 << i));
    const drop = after.sum === null && before.sum !== null ? 'submission = null, ' : '';
    text = `update avatars set ${names.map((name) => `${name} = ?, `).join('')}${drop}crc = ? where seq = ?`;
    updates.set(bits, text);
  }
  values.push(sumOf(valuesOf(after), after.doc), after.seq);
  db.sql(text).run(values);
}

function avatarIn([number, json, bytes, crc]: Value[]): AvatarRow | DamagedAvatar {
  const seq = Number(number);
  const doc = (bytes as Uint8Array | null) ?? Buffer.alloc(0);
  const values = jsonIn(json as Uint8Array);
  const row: Record<string, unknown> = { seq, doc };
  for (let i = 0; i < COLUMNS.length; i++) row[COLUMNS[i] as Column] = values?.[i] ?? null;
  if (values !== null && sumOf(values, doc) === crc) return row as unknown as AvatarRow;
  return { damaged: json as Uint8Array, seq, doc, row: row as Record<Column, Value> };
}

function valuesOf(row: AvatarRow): Value[] {
  return COLUMNS.map((name) => row[name]);
}

function sumOf(values: readonly Value[], doc: Uint8Array): number {
  return crc32(doc, crc32(JSON.stringify(values)));
}
