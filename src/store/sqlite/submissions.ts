/** What will be submitted for avatars: small ones in the database, of large ones the name of their file. */

import { crc32 } from 'node:zlib';
import type { Database, Value } from './database.js';

/** Bytes of a submission, or the file that has them. `sum` is their CRC-32. */
export type Submission = {
  readonly size: number;
  readonly sum: number;
} & ({ readonly bytes: Uint8Array } | { readonly file: string });

export function writeSubmission(db: Database, seq: number, submission: Submission): void {
  const { size, sum } = submission;
  const [file, bytes] = 'file' in submission ? [submission.file, null] : [null, submission.bytes];
  const values = [seq, file, size, sum, bytes, sealOf(file, size, sum)];
  db.sql('insert into submissions values (?, ?, ?, ?, ?, ?)').run(values);
}

/** `null` where there is none, and where it is damaged: half of it is nothing to submit. */
export function readSubmission(db: Database, seq: number): Submission | null {
  const text = `select cast(file as blob), cast(size as integer), cast(sum as integer), cast(bytes as blob),
    cast(crc as integer) from submissions where seq = ?`;
  const found = db.sql(text).get([seq]);
  if (found === undefined) return null;
  const [file, size, sum] = [found[0] && String(found[0]), Number(found[1]), Number(found[2])] as const;
  if (sealOf(file ?? null, size, sum) !== found[4]) return null;
  if (typeof file === 'string') return { file, size, sum };
  const bytes = (found[3] as Uint8Array | null | undefined) ?? Buffer.alloc(0);
  return bytes.length === size && crc32(bytes) === sum ? { bytes, size, sum } : null;
}

/** The names of all files that are needed. */
export function filesOf(db: Database): string[] {
  return db.sql('select cast(file as blob) from submissions where file is not null').all([]).map(String);
}

function sealOf(file: Value, size: number, sum: number): number {
  return crc32(JSON.stringify([file, size, sum]));
}
