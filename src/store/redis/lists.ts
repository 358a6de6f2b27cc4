/**
 * The avatars of callers, in pages. A caller has one sorted set, whose members all have score 0 and so are in the order
 * of their names. An avatar is there by the mark of its status and its entry of `pages.ts`, and where it has an external
 * id, by a prefix for that and the entry.
 */

import { type Avatar, STATUSES, type Status } from '../../domain/avatar.js';
import { callerDigest, externalDigest } from '../digests.js';
import { entryOf, idIn, pageOf } from '../pages.js';
import type { ListQuery, Page } from '../store.js';
import type { Connection } from './connection.js';
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

export class Lists {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #records: Records;

  constructor(redis: Connection, keys: Keys, records: Records) {
    this.#redis = redis;
    this.#keys = keys;
    this.#records = records;
  }

  /** @throws StoreUnavailableError */
  async list(caller: string, query: ListQuery): Promise<Page> {
    const list = this.#keys.list(callerDigest(caller));
    const prefixes = prefixesOf(query);
    const look = (entry: string) => {
      const names = prefixes.map((prefix) => prefix + entry);
      return this.#records.listed(caller, idIn(entry), list, names);
    };
    return pageOf(
      query,
      async ({ gt, lt }, count) => {
        const found = (await this.#redis.run('list', [list], lt, gt, count, ...prefixes)) as Buffer[][];
        return found.map((names, i) => names.map((name) => String(name).slice(prefixes[i]?.length)));
      },
      (entries) => Promise.all(entries.map(look)),
    );
  }
}

function prefixesOf({ statuses, externalId }: ListQuery): string[] {
  if (externalId !== null) return [prefixOf(externalId)];
  return STATUSES.filter((status) => statuses?.includes(status) ?? true).map((status) => MARKS[status]);
}

function prefixOf(externalId: string): string {
  return `x${externalDigest(externalId)}!`;
}
