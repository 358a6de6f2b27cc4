/** Steps of a transaction on one record: read it, move it in its indexes, set it aside. */

import type { Avatar } from '../../domain/avatar.js';
import { callerDigest } from '../digests.js';
import { CorruptRecordError, decodeRecord, NewerRecordError } from '../record.js';
import type { Transaction } from './commit.js';
import {
  avatarKey,
  corruptKey,
  decodeMeta,
  dueKey,
  encodeMeta,
  type Listing,
  listingKeys,
  type Meta,
  metaKey,
} from './keys.js';

const EMPTY = Buffer.alloc(0);
/** An id that no avatar has. */
const NOWHERE = '';
/** What is read in place of what is not there. */
const NOBODYS = encodeMeta({
  ...{ version: 1, due: 1_750_000_000_000, lane: null, task: 'x'.repeat(36), key: 'x'.repeat(43), tag: 1 },
  ...{ bytes: 0, listing: { caller: '', status: 'queued', externalId: null, entry: '', changedAt: 1 } },
});

/** A record as it was found: a whole one, or why not. */
export type FoundRecord =
  | { readonly avatar: Avatar; readonly meta: Meta }
  | CorruptRecordError
  | NewerRecordError
  | null;

export function readRecord(tx: Transaction, id: string): FoundRecord {
  const bytes = tx.get(avatarKey(id));
  try {
    const meta = readMeta(tx, id);
    if (bytes !== undefined && meta !== null) return { avatar: decodeRecord(id, bytes), meta };
    if (bytes !== undefined || meta !== null)
      return new CorruptRecordError(`half of the record of ${id} is missing`);
    const aside = tx.get(corruptKey(id, 'avatar')) ?? tx.get(corruptKey(id, 'meta'));
    return aside === undefined ? null : new CorruptRecordError(`the record of ${id} was set aside`);
  } catch (error) {
    if (error instanceof CorruptRecordError || error instanceof NewerRecordError) return error;
    throw error;
  }
}

/**
 * The same for a caller, by its digest; `null`: for anyone. What is another's is not decoded: it is as what is
 * not there, and takes as many steps of the same kind. What cannot be read, and does not say whose it is, is everybody's.
 */
export function readRecordOf(tx: Transaction, caller: string | null, id: string): FoundRecord {
  return caller === null || isFor(tx, caller, id) ? readRecord(tx, id) : null;
}

function isFor(tx: Transaction, caller: string, id: string): boolean {
  const [whole, aside] = [tx.get(metaKey(id)), tx.get(corruptKey(id, 'meta'))];
  const meta = whole ?? aside;
  const known = callerInMeta(id, meta ?? NOBODYS);
  if (known === caller) return true;
  const isAnothers = meta !== undefined && known !== null;
  const looked = isAnothers ? NOWHERE : id;
  const [record, recordAside] = [tx.get(avatarKey(looked)), tx.get(corruptKey(looked, 'avatar'))];
  const bytes = record ?? recordAside;
  if (bytes === undefined) return meta !== undefined && !isAnothers;
  return (callerInRecord(id, bytes) ?? caller) === caller;
}

/** `null` where it does not say. */
function callerInMeta(id: string, bytes: Buffer): string | null {
  try {
    return decodeMeta(id, bytes).listing?.caller ?? null;
  } catch {
    return null;
  }
}

function callerInRecord(id: string, bytes: Buffer): string | null {
  try {
    return callerDigest(decodeRecord(id, bytes).caller);
  } catch {
    return null;
  }
}

/** @throws CorruptRecordError */
export function readMeta(tx: Transaction, id: string): Meta | null {
  const bytes = tx.get(metaKey(id));
  return bytes === undefined ? null : decodeMeta(id, bytes);
}

/** Writes the version and moves the entries in the indexes with it. */
export function schedule(tx: Transaction, id: string, before: Meta | null, after: Meta): void {
  if (before !== null) tx.del(dueKey(before, id));
  tx.put(dueKey(after, id), EMPTY);
  relist(tx, id, before?.listing ?? null, after.listing);
  tx.put(metaKey(id), encodeMeta(after));
}

/** Moves it in the lists and the feed; `null`: it is in none. */
export function relist(tx: Transaction, id: string, before: Listing | null, after: Listing | null): void {
  if (before === after) return;
  const keys = new Set(after === null ? [] : listingKeys(after, id));
  for (const key of before === null ? [] : listingKeys(before, id)) if (!keys.delete(key)) tx.del(key);
  for (const key of keys) tx.put(key, EMPTY);
}

/** Moves the bytes of a record out of the way, as they are. Says whether there were any. */
export function setAside(tx: Transaction, id: string): boolean {
  const avatar = tx.get(avatarKey(id));
  const meta = tx.get(metaKey(id));
  if (avatar !== undefined) tx.put(corruptKey(id, 'avatar'), avatar);
  if (meta !== undefined) {
    tx.put(corruptKey(id, 'meta'), meta);
    try {
      const read = decodeMeta(id, meta);
      tx.del(dueKey(read, id));
      relist(tx, id, read.listing, null);
    } catch {
      // Where its entries are cannot be known; whoever comes across one removes it.
    }
  }
  tx.del(avatarKey(id));
  tx.del(metaKey(id));
  return avatar !== undefined || meta !== undefined;
}
