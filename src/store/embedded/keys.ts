/**
 * The keyspace of the embedded store:
 *
 *     avatar!<id>               the record, as `record.ts` writes it
 *     meta!<id>                 {@link Meta}, in JSON: what the store itself needs to know
 *     submission!<id>           the bytes to submit
 *     task!<task id>            the id of the avatar that owns the task
 *     key!<digest>              the id of the avatar that was created with the idempotency key
 *     due!<due, 16 digits>!<id> the due index: key order is due order
 *     corrupt!<id>!<part>       the original bytes of what was set aside
 *
 * Version and due time stay out of the record, so that a claim writes a few bytes, and so that a newer release's
 * record can be put off without a byte of it changing.
 */

import { CorruptRecordError } from '../record.js';

/** `due` is where the index entry is; `task` and `key` are what was indexed for this avatar. */
export interface Meta {
  readonly version: number;
  readonly due: number;
  readonly task: string | null;
  readonly key: string | null;
}

export const avatarKey = (id: string): string => `avatar!${id}`;
export const metaKey = (id: string): string => `meta!${id}`;
export const submissionKey = (id: string): string => `submission!${id}`;
export const taskKey = (taskId: string): string => `task!${taskId}`;
export const idempotencyKey = (digest: string): string => `key!${digest}`;
export const corruptKey = (id: string, part: 'avatar' | 'meta'): string => `corrupt!${id}!${part}`;
export const dueKey = (due: number, id: string): string => `due!${digits(due)}!${id}`;

/** The range of the due index that is due at `now`; all of it without `now`. */
export function dueRange(now?: number): { gt: string; lt: string } {
  return { gt: 'due!', lt: now === undefined ? 'due"' : `due!${digits(now + 1)}` };
}

/** What an entry of the due index says. */
export function parseDueKey(key: string): { due: number; id: string } {
  return { due: Number(key.slice(4, 20)), id: key.slice(21) };
}

export function encodeMeta(meta: Meta): Buffer {
  return Buffer.from(JSON.stringify(meta));
}

/** @throws CorruptRecordError */
export function decodeMeta(id: string, bytes: Buffer): Meta {
  let value: Partial<Meta> | null = null;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    // Not JSON: the check below says so.
  }
  const { version, due, task, key } = value ?? {};
  if (
    !Number.isSafeInteger(version) ||
    !Number.isSafeInteger(due) ||
    (task !== null && typeof task !== 'string') ||
    (key !== null && typeof key !== 'string')
  ) {
    throw new CorruptRecordError(`the version of ${id} cannot be read`);
  }
  return { version: Number(version), due: Number(due), task, key };
}

function digits(ms: number): string {
  return String(ms).padStart(16, '0');
}
