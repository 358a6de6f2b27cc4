/**
 * The keyspace of the embedded store:
 *
 *     avatar!<id>               the record, as `record.ts` writes it
 *     meta!<id>                 {@link Meta}, in JSON: what the store itself needs to know
 *     submission!<id>           where the bytes to submit are: {@link SubmissionFile}, in JSON; gone with them
 *     task!<task id>            the id of the avatar that owns the task
 *     key!<digest>              the id of the avatar that was created with the idempotency key
 *     due!<due, 16 digits>!<id> the common due index: key order is due order
 *     lane!<key id>!<due, 16 digits>!<id>
 *                               the due index of a key to Modellix
 *     lanes!<key id>            every key that ever had one
 *     queue!<id>                its {@link Place} in the queue, in JSON
 *     caller!<caller>           the tag of its last avatar, where that is not behind the clock
 *     clock                     the highest tag that was submitted
 *     slot!<key id>!<id>        when it no longer holds a slot of the key, in ms; empty while it is unfinished
 *     list!<caller>!<status>!<entry>
 *                               each avatar of a caller, by status; the entry is that of `pages.ts`
 *     external!<caller>!<external id>!<entry>
 *                               the same for avatars that have an external id
 *     feed!<caller>!<place, 16 digits>!<id>
 *                               the last change of an avatar that its caller could see
 *     feeds!<caller>            {@link FeedEnds}, in JSON: of every caller that ever had an avatar
 *     spend!<month>!<caller>    {@link Account}, in JSON
 *     doc!<name>                a shared document, in JSON
 *     corrupt!<id>!<part>       the original bytes of what was set aside
 *
 * In the lists, feeds and accounts callers and external ids are digests.
 *
 * Version and due time stay out of the record, so that a claim writes a few bytes, and so that a newer release's
 * record can be put off without a byte of it changing.
 */

import type { Status } from '../../domain/avatar.js';
import { CorruptRecordError } from '../record.js';

/** A place in the queue: whose turn it is, which one, and how many bytes wait there. */
export interface Place {
  readonly caller: string;
  readonly tag: number;
  readonly bytes: number;
}

/** `due` and `lane` are where the index entry is; `task` and `key` are what was indexed for this avatar. */
export interface Meta {
  readonly version: number;
  readonly due: number;
  readonly lane: string | null;
  readonly task: string | null;
  readonly key: string | null;
  /** Its place in the queue, now or when it comes back to it. */
  readonly tag: number;
  /** The size of its submission, 0 once dropped. */
  readonly bytes: number;
  /** `null` where a release wrote it that had no lists. */
  readonly listing: Listing | null;
}

/** Where an avatar stands in the lists of its caller, and in the feed: `null` where it is not there. */
export interface Listing {
  readonly caller: string;
  readonly status: Status;
  readonly externalId: string | null;
  readonly entry: string;
  readonly changedAt: number | null;
}

/**
 * The place of the last change in a feed, that up to which changes may be missing, and whose it is: `null` where a
 * release wrote it that did not say, until the next change.
 */
export interface FeedEnds {
  readonly last: number;
  readonly forgotten: number;
  readonly caller: string | null;
}

/** What a caller spent in a month: entries of `accounts.ts`. */
export interface Account {
  readonly caller: string;
  readonly entries: Readonly<Record<string, readonly number[]>>;
}

/** A file in the folder of the submissions, and how long it is. */
export interface SubmissionFile {
  readonly file: string;
  readonly bytes: number;
}

export const CLOCK = 'clock';
export const avatarKey = (id: string): string => `avatar!${id}`;
export const metaKey = (id: string): string => `meta!${id}`;
export const submissionKey = (id: string): string => `submission!${id}`;
export const taskKey = (taskId: string): string => `task!${taskId}`;
export const idempotencyKey = (digest: string): string => `key!${digest}`;
export const corruptKey = (id: string, part: 'avatar' | 'meta'): string => `corrupt!${id}!${part}`;
export const laneKey = (lane: string): string => `lanes!${lane}`;
export const queueKey = (id: string): string => `queue!${id}`;
export const callerKey = (caller: string): string => `caller!${caller}`;
export const slotKey = (keyId: string, id: string): string => `slot!${keyId}!${id}`;
export const documentKey = (name: string): string => `doc!${name}`;
export const feedEndsKey = (caller: string): string => `feeds!${caller}`;
export const accountKey = (month: string, caller: string): string => `spend!${month}!${caller}`;
export const feedIndex = (caller: string): string => `feed!${caller}!`;
export const listIndex = (caller: string, status: Status): string => `list!${caller}!${status}!`;
export const externalIndex = (caller: string, externalId: string): string =>
  `external!${caller}!${externalId}!`;
export const dueKey = ({ due, lane }: Pick<Meta, 'due' | 'lane'>, id: string): string =>
  `${dueIndex(lane)}${digits(due)}!${id}`;

/** Every key that begins so, for a scan. */
export function rangeOf(prefix: 'queue!' | 'caller!' | 'slot!' | 'lanes!' | 'submission!' | 'feeds!'): {
  gt: string;
  lt: string;
} {
  return { gt: prefix, lt: prefix.replace('!', '"') };
}

/** The range of a due index that is due at `now`; all of it without `now`. */
export function dueRange(lane: string | null, now?: number): { gt: string; lt: string } {
  const index = dueIndex(lane);
  return { gt: index, lt: now === undefined ? `${index}~` : `${index}${digits(now + 1)}` };
}

/** What an entry of a due index says. */
export function parseDueKey(lane: string | null, key: string): { due: number; id: string } {
  const start = dueIndex(lane).length;
  return { due: Number(key.slice(start, start + 16)), id: key.slice(start + 17) };
}

/** The keys of an avatar in lists and feed. */
export function listingKeys({ caller, status, externalId, entry, changedAt }: Listing, id: string): string[] {
  return [
    `${listIndex(caller, status)}${entry}`,
    ...(externalId === null ? [] : [`${externalIndex(caller, externalId)}${entry}`]),
    ...(changedAt === null ? [] : [`${feedIndex(caller)}${digits(changedAt)}!${id}`]),
  ];
}

/** The changes in a feed behind a place. */
export function feedBehind(caller: string, place: number): { gt: string; lt: string } {
  return { gt: `${feedIndex(caller)}${digits(place)}~`, lt: `${feedIndex(caller)}~` };
}

/** The changes in a feed up to a place. */
export function feedUpTo(caller: string, place: number): { gt: string; lt: string } {
  return { gt: feedIndex(caller), lt: `${feedIndex(caller)}${digits(place)}~` };
}

/** What an entry of a feed says. */
export function parseFeedKey(caller: string, key: string): { at: number; id: string } {
  const start = feedIndex(caller).length;
  return { at: Number(key.slice(start, start + 16)), id: key.slice(start + 17) };
}

export function encodeFeedEnds({ last, forgotten, caller }: FeedEnds): Buffer {
  return Buffer.from(JSON.stringify({ last, forgotten, caller }));
}

/** Of a feed without changes where there are none to be read. */
export function decodeFeedEnds(value: Buffer | undefined): FeedEnds {
  try {
    const { last, forgotten, caller = null } = JSON.parse(String(value)) as Partial<FeedEnds>;
    if (typeof last === 'number' && typeof forgotten === 'number') return { last, forgotten, caller };
  } catch {
    // As below.
  }
  return { last: 0, forgotten: 0, caller: null };
}

/** The accounts of all callers from one month to another. */
export function accountsOf(from: string, to: string): { gt: string; lt: string } {
  return { gt: accountKey(from, ''), lt: accountKey(to, '~') };
}

/** Whose account it is, and of which month. */
export function parseAccountKey(key: string): { month: string; caller: string } {
  const [, month = '', caller = ''] = key.split('!');
  return { month, caller };
}

export function encodeAccount({ caller, entries }: Account): Buffer {
  return Buffer.from(JSON.stringify({ caller, entries }));
}

/** `null` where there is none to be read. */
export function decodeAccount(value: Buffer | undefined): Account | null {
  try {
    const { caller, entries } = JSON.parse(String(value)) as Partial<Account>;
    return typeof caller === 'string' && typeof entries === 'object' ? { caller, entries } : null;
  } catch {
    return null;
  }
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
  const { version, due, lane, task, key, tag, bytes: size, listing = null } = value ?? {};
  const texts = [lane, task, key].every((text) => text === null || typeof text === 'string');
  const numbers = [version, due, size].every(Number.isSafeInteger) && Number.isFinite(tag);
  if (!numbers || !texts || typeof listing !== 'object') {
    throw new CorruptRecordError(`the version of ${id} cannot be read`);
  }
  return { ...(value as Meta), listing };
}

export function encodeSubmission({ file, bytes }: SubmissionFile): Buffer {
  return Buffer.from(JSON.stringify({ file, bytes }));
}

/** `null` where there is none to be read. */
export function decodeSubmission(value: Buffer): SubmissionFile | null {
  try {
    const { file, bytes } = JSON.parse(value.toString()) as Partial<SubmissionFile>;
    return typeof file === 'string' && Number.isSafeInteger(bytes) ? { file, bytes: Number(bytes) } : null;
  } catch {
    return null;
  }
}

export function encodePlace({ caller, tag, bytes }: Place): Buffer {
  return Buffer.from(JSON.stringify({ caller, tag, bytes }));
}

/** `null` where there is none to be read. */
export function decodePlace(value: Buffer): Place | null {
  try {
    const { caller, tag, bytes } = JSON.parse(value.toString()) as Partial<Place>;
    if (typeof caller !== 'string' || typeof tag !== 'number' || typeof bytes !== 'number') return null;
    return { caller, tag, bytes };
  } catch {
    return null;
  }
}

function dueIndex(lane: string | null): string {
  return lane === null ? 'due!' : `lane!${lane}!`;
}

function digits(ms: number): string {
  return String(ms).padStart(16, '0');
}
