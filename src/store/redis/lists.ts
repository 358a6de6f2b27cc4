import { type Avatar, STATUSES } from '../../domain/avatar.js';
import { callerDigest, externalDigest } from '../digests.js';
import { entryOf, idIn, pageOf } from '../pages.js';
import type { ListQuery, Page } from '../store.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import type { Records } from './records.js';

/** What an avatar is called in the lists, and in that of external ids; '' where it has none. */
export function namesOf(avatar: Pick<Avatar, 'id' | 'createdAt' | 'externalId'>) {
  const entry = entryOf(avatar);
  const { externalId } = avatar;
  return { entry, external: externalId === null ? '' : prefixOf(externalId) + entry };
}

/** The avatars of callers, in pages. */
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
    const { externalId } = query;
    const lists = this.#listsOf(callerDigest(caller), query);
    const prefix = externalId === null ? '' : prefixOf(externalId);
    return pageOf(
      query,
      async ({ gt, lt }, count) => {
        const found = await this.#redis.run('list', lists, prefix + lt, prefix + gt, count);
        return (found as Buffer[][]).map((names) => names.map((name) => String(name).slice(prefix.length)));
      },
      (entries) =>
        Promise.all(entries.map((entry) => this.#records.listed(caller, idIn(entry), prefix + entry, lists))),
    );
  }

  #listsOf(caller: string, { statuses, externalId }: ListQuery): string[] {
    if (externalId !== null) return [this.#keys.external(caller)];
    return STATUSES.filter((status) => statuses?.includes(status) ?? true).map((status) =>
      this.#keys.list(caller, status),
    );
  }
}

function prefixOf(externalId: string): string {
  return `${externalDigest(externalId)}!`;
}
