/**
 * The avatars of callers, in pages. A caller has one sorted set, whose members all have score 0 and so are in the order
 * of their names. An avatar is there by the mark of its status and its entry of `pages.ts`, and where it has an external
 * id, by a prefix for that and the entry.
 */

import { type Avatar, STATUSES, type Status } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import { callerDigest, externalDigest } from '../digests.js';
import { type EntryRange, entryOf, idIn, type Listed, pageOf } from '../pages.js';
import type { ListQuery, Page } from '../store.js';
import type { Connection } from './connection.js';
import type { Everyone } from './everyone.js';
import type { Keys } from './keys.js';
import type { Records } from './records.js';

/** As they lie in Redis: never to be changed. */
export const MARKS: Readonly<Record<Status, string>> = {
  queued: 'q',
  submitting: 's',
  pending: 'p',
  processing: 'r',
  succeeded: 'd',
  failed: 'f',
  timed_out: 't',
  canceled: 'c',
  unconfirmed: 'u',
};

/** What an avatar is listed by; `external` is '' where it has no external id. */
export function namesOf(avatar: Pick<Avatar, 'id' | 'createdAt' | 'status' | 'externalId'>) {
  const { status, externalId } = avatar;
  const entry = entryOf(avatar);
  return { mark: MARKS[status], entry, external: externalId === null ? '' : prefixOf(externalId) + entry };
}

/** `caller`: in whose list it stands. */
interface OwnedEntry extends Listed {
  readonly caller: string;
}

export class Lists {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #records: Records;
  readonly #everyone: Everyone;

  constructor(redis: Connection, keys: Keys, records: Records, everyone: Everyone) {
    this.#redis = redis;
    this.#keys = keys;
    this.#records = records;
    this.#everyone = everyone;
  }

  /** @throws StoreUnavailableError */
  async list(scope: Scope, query: ListQuery): Promise<Page> {
    const prefixes = prefixesOf(query);
    const look = ({ caller, entry }: OwnedEntry) => {
      const names = prefixes.map((prefix) => prefix + entry);
      return this.#records.listed(caller, idIn(entry), this.#keys.list(callerDigest(caller)), names);
    };
    return pageOf(
      query,
      (range, count) =>
        scope === EVERYONE ? this.#all(prefixes, range, count) : this.#one(scope, prefixes, range, count),
      (entries) => Promise.all(entries.map(look)),
    );
  }

  async #one(
    caller: string,
    prefixes: readonly string[],
    { gt, lt }: EntryRange,
    count: number,
  ): Promise<OwnedEntry[][]> {
    const list = this.#keys.list(callerDigest(caller));
    const found = (await this.#redis.run('list', [list], lt, gt, count, ...prefixes)) as Buffer[][];
    return found.map((names, i) =>
      names.map((name) => ({ caller, entry: String(name).slice(prefixes[i]?.length) })),
    );
  }

  async #all(prefixes: readonly string[], { gt, lt }: EntryRange, count: number): Promise<OwnedEntry[][]> {
    const keyOf = (caller: string) => this.#keys.list(caller);
    const args = [lt, gt, count, prefixes.length, ...prefixes];
    const { callers, row } = await this.#everyone.run('list-all', keyOf, ...args);
    const entries = row.flatMap((entry, i) =>
      i % 2 === 0 ? [{ entry: String(entry), caller: callers[Number(row[i + 1])] ?? '' }] : [],
    );
    return [entries];
  }
}

function prefixesOf({ statuses, externalId }: ListQuery): string[] {
  if (externalId !== null) return [prefixOf(externalId)];
  return STATUSES.filter((status) => statuses?.includes(status) ?? true).map((status) => MARKS[status]);
}

function prefixOf(externalId: string): string {
  return `x${externalDigest(externalId)}!`;
}
