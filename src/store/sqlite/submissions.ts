/** What will be submitted for avatars: small ones in the database, of large ones the name of their file. */

import { crc32 } from 'node:zlib';
import type { Database } from './database.js';
import type { AvatarRow } from './rows.js';

/** Bytes of a submission, or the file that has them. `sum` is their CRC-32. */
export type Submission = {
  readonly size: number;
  readonly sum: number;
} & ({ readonly bytes: Uint8Array } | { readonly file: string });

/** One that lies in the database. Copied, since a part of a buffer goes with all of it. */
export function inline(pieces: readonly Buffer[], size: number): Submission {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, size, sum: crc32(bytes) };
}

/** What a row says of its submission once it was dropped. */
export const DROPPED = { bytes: 0, sum: null, file: null } as const;

/** `null` where there is none, and where it is damaged: half of it is nothing to submit. */
export function readSubmission(db: Database, row: AvatarRow): Submission | null {
  const { seq, bytes: size, sum, file } = row;
  if (sum === null) return null;
  if (file !== null) return { file, size, sum };
  const [found] = db.sql('select cast(submission as blob) from avatars where seq = ?').get([seq]) ?? [];
  const bytes = (found as Uint8Array | null | undefined) ?? Buffer.alloc(0);
  return bytes.length === size && crc32(bytes) === sum ? { bytes, size, sum } : null;
}

/** The names of all files that are needed. */
export function filesOf(db: Database): string[] {
  return db.sql('select cast(file as blob) from avatars where file is not null').all([]).map(String);
}
