/**
 * Pages of a list from ordered indexes. An entry is `<createdAt, 15 digits>!<id>`, so that the order of entries is that
 * of the list backwards. Each avatar stands in one index for each status, so that one status is one range, and any of
 * them are a merge; or in one of its external id.
 */

import type { Avatar } from '../domain/avatar.js';
import type { Found, ListQuery, Page, Place } from './store.js';

/** Until the year 33658. */
const DIGITS = 15;
const LATEST = 10 ** DIGITS - 1;

/** What stands in an index; of which index, the store adds. */
export interface Listed {
  readonly entry: string;
}

/** Of entries, without the ends. */
export interface EntryRange {
  readonly gt: string;
  readonly lt: string;
}

export function entryOf({ createdAt, id }: Place): string {
  return `${digits(createdAt)}!${id}`;
}

export function idIn(entry: string): string {
  return entry.slice(DIGITS + 1);
}

/**
 * @param read the newest so many entries of a range of each index, all read at one moment
 * @param look what each of these entries leads to; `null` where there is nothing to show
 */
export async function pageOf<L extends Listed>(
  query: ListQuery,
  read: (range: EntryRange, count: number) => Promise<readonly L[][]>,
  look: (entries: readonly L[]) => Promise<readonly (Found | null)[]>,
): Promise<Page> {
  const { limit } = query;
  const count = limit + 1; // One more says whether anything follows.
  const found: Found[] = [];
  let range = rangeOf(query);
  for (;;) {
    const entries = merged(await read(range, count), count);
    for (const each of await look(entries)) if (each !== null && fits(each.avatar, query)) found.push(each);
    const last = entries.at(-1);
    if (found.length > limit || entries.length < count || last === undefined) break;
    range = { gt: range.gt, lt: last.entry };
  }
  const page = found.slice(0, limit);
  const end = found.length > limit ? page.at(-1)?.avatar : undefined;
  return { found: page, next: end === undefined ? null : { createdAt: end.createdAt, id: end.id } };
}

/** The newest so many of all. */
export function merged<L extends Listed>(indexes: readonly L[][], count: number): L[] {
  if (indexes.length === 1) return indexes[0] ?? [];
  return indexes
    .flat()
    .sort(({ entry: a }, { entry: b }) => (a < b ? 1 : a > b ? -1 : 0))
    .slice(0, count);
}

/** Its status may be another one than that of the index where it was found. */
function fits({ status, externalId }: Avatar, query: ListQuery): boolean {
  return (
    (query.statuses === null || query.statuses.includes(status)) &&
    (query.externalId === null || query.externalId === externalId)
  );
}

/** `~` is behind everything that an entry is made of. */
function rangeOf({ createdAfter, createdBefore, behind }: ListQuery): EntryRange {
  const ends = [
    '~',
    ...(createdBefore === null ? [] : [digits(Math.ceil(createdBefore))]),
    ...(behind === null ? [] : [entryOf(behind)]),
  ];
  return {
    gt: createdAfter === null || createdAfter < 0 ? '' : `${digits(createdAfter)}~`,
    lt: ends.reduce((least, end) => (end < least ? end : least)),
  };
}

function digits(ms: number): string {
  return String(Math.min(Math.max(0, Math.floor(ms)), LATEST)).padStart(DIGITS, '0');
}
