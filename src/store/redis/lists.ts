/**
 * The avatars of callers, in pages. A caller has one sorted set, and everyone has one, whose members all have score 0 and so are in
 * the order of their names: the mark of the status, when it was created, and the id. `external` has the same of those
 * with an external id, behind what stands for that and for their caller.
 */

import { type Avatar, STATUSES } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import type { Found, ListQuery, Page, Place } from '../store.js';
import type { Connection } from './connection/connection.js';
import { idIn, idWord } from './ids.js';
import { ENTRY_TIME, EXTERNAL_CALLER, externalWord, MARKS, timeIn, timeWord, word } from './marks.js';
import type { Records } from './records.js';

/** How many entries one page looks at, where others than those wanted are among them. */
const MOST_LOOKED_AT = 1000;

type Row = readonly [name: Buffer, entry: Buffer, stored: Buffer | null, ahead: number | null];

/** @throws StoreUnavailableError */
export async function list(
  redis: Connection,
  records: Records,
  scope: Scope,
  query: ListQuery,
): Promise<Page> {
  const names = namesOf(scope, query);
  const limit = query.limit + 1; // One more says whether anything follows.
  const found: Found[] = [];
  let [{ gt, lt }, lookedAt, isWhole] = [rangeOf(query), 0, false];
  while (found.length < limit && !isWhole && lookedAt < MOST_LOOKED_AT) {
    const args = { ...names, gt, lt, limit };
    const [now, rows] = (await redis.run('list', args)) as [number, Row[]];
    const look = ([name, entry, stored, ahead]: Row) =>
      records.listed(scope, placeIn(String(entry)).id, stored, now, ahead, names.list, String(name));
    for (const each of await Promise.all(rows.map(look)))
      if (each !== null && fits(each.avatar, query)) found.push(each);
    lookedAt += rows.length;
    isWhole = rows.length < limit;
    lt = String(rows.at(-1)?.[1] ?? lt);
  }
  const page = found.slice(0, query.limit);
  if (found.length > query.limit) return { found: page, next: placeOf(page.at(-1)?.avatar) };
  return { found: page, next: isWhole ? null : placeIn(lt) };
}

function placeOf(avatar: Avatar | undefined): Place | null {
  return avatar === undefined ? null : { createdAt: avatar.createdAt, id: avatar.id };
}

function placeIn(entry: string): Place {
  return { createdAt: timeIn(entry.slice(0, ENTRY_TIME)), id: idIn(entry.slice(ENTRY_TIME)) };
}

/** It may have been written since, and two external ids may share a prefix. */
function fits({ status, externalId }: Avatar, query: ListQuery): boolean {
  return (
    (query.statuses === null || query.statuses.includes(status)) &&
    (query.externalId === null || query.externalId === externalId)
  );
}

function namesOf(scope: Scope, { statuses, externalId }: ListQuery) {
  const marks = STATUSES.filter((status) => statuses?.includes(status) ?? true).map((each) => MARKS[each]);
  const list = externalId !== null ? 'external' : scope === EVERYONE ? 'list' : `list:${word(scope)}`;
  const more = externalId !== null && scope === EVERYONE ? EXTERNAL_CALLER + 1 : 1;
  return { list, stem: externalWord(externalId, scope), more, marks: marks.join('') };
}

/** `~` is behind everything that an entry is made of. */
function rangeOf({ createdAfter, createdBefore, behind }: ListQuery): { gt: string; lt: string } {
  const ends = [
    '~',
    ...(createdBefore === null ? [] : [timeWord(Math.ceil(createdBefore))]),
    ...(behind === null ? [] : [timeWord(behind.createdAt) + idWord(behind.id)]),
  ];
  return {
    gt: createdAfter === null || createdAfter < 0 ? '' : `${timeWord(createdAfter)}~`,
    lt: ends.reduce((least, end) => (end < least ? end : least)),
  };
}
