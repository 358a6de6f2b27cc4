import { createHash } from 'node:crypto';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import type { ListQuery, Place } from '../../gateway/view.js';
import { ProblemError } from '../../problems.js';

type Filters = Omit<ListQuery, 'behind' | 'limit'>;

const DIGEST_BYTES = 9;

/**
 * Where a page ends, as text that says nothing. The digest in it is not a secret: it notices a cursor that was changed,
 * or is used for another list than its own. What a caller may see is decided by the store.
 */
export function cursorOf(scope: Scope, filters: Filters, place: Place): string {
  const text = `${place.createdAt} ${place.id}`;
  const { statuses, externalId, createdAfter, createdBefore } = filters;
  const whose = scope === EVERYONE ? null : scope;
  const all = JSON.stringify([whose, statuses, externalId, createdAfter, createdBefore, text]);
  const digest = createHash('sha256').update(all).digest().subarray(0, DIGEST_BYTES);
  return Buffer.concat([digest, Buffer.from(text)]).toString('base64url');
}

/** @throws {ProblemError} `invalid-cursor` for one that {@link cursorOf} did not make for this scope and these filters */
export function placeOf(scope: Scope, filters: Filters, cursor: string): Place {
  const bytes = Buffer.from(cursor, 'base64url');
  const text = bytes.subarray(DIGEST_BYTES).toString();
  const [, createdAt, id] = /^(\d{1,15}) (.+)$/.exec(text) ?? [];
  if (createdAt !== undefined && id !== undefined) {
    const place = { createdAt: Number(createdAt), id };
    if (cursorOf(scope, filters, place) === cursor) return place;
  }
  throw new ProblemError('invalid-cursor', 'The cursor is not one of this list with these filters.');
}
