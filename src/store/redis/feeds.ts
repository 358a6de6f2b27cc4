import { EVERYONE, type Scope } from '../../domain/caller.js';
import { callerDigest } from '../digests.js';
import { type Entry, feedOf, type Stretch } from '../feeds.js';
import type { Feed, Stored } from '../store.js';
import type { Connection } from './connection.js';
import type { Everyone } from './everyone.js';
import type { Keys } from './keys.js';
import type { Records } from './records.js';

/** `caller`: in whose feed it stands. */
interface OwnedEntry extends Entry {
  readonly caller: string;
}

/** The changes of the avatars of callers. */
export class Feeds {
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
  async feed(scope: Scope, after: number | null, limit: number): Promise<Feed> {
    return feedOf(
      after,
      limit,
      (behind, count) => (scope === EVERYONE ? this.#all(behind, count) : this.#one(scope, behind, count)),
      (entries) => Promise.all(entries.map((entry) => this.#look(entry))),
    );
  }

  async #one(caller: string, behind: number, count: number): Promise<Stretch<OwnedEntry>> {
    const feed = this.#keys.feed(callerDigest(caller));
    const row = (await this.#redis.run('feed', [feed], behind, count)) as [Buffer, Buffer, Buffer[]];
    const [last, forgotten, changes] = row;
    const entries = inRowsOf(2, changes).map(([id, at]) => ({ id: String(id), at: number(at), caller }));
    return { entries, last: number(last), forgotten: number(forgotten) };
  }

  async #all(behind: number, count: number): Promise<Stretch<OwnedEntry>> {
    const keyOf = (caller: string) => this.#keys.feed(caller);
    const { callers, row } = await this.#everyone.run('feed-all', keyOf, behind, count);
    const [last, forgotten, changes] = row as [Buffer, Buffer, (Buffer | number)[]];
    const entries = inRowsOf(3, changes).map(([id, at, feed]) => {
      return { id: String(id), at: number(at), caller: callers[Number(feed)] ?? '' };
    });
    return { entries, last: number(last), forgotten: number(forgotten) };
  }

  async #look({ caller, id }: OwnedEntry): Promise<Stored | null> {
    const feed = this.#keys.feed(callerDigest(caller));
    const found = await this.#records.listed(caller, id, feed, [id]);
    return found && { avatar: found.avatar, version: found.version, now: found.now };
  }
}

const number = (text: unknown): number => Number(String(text));

function inRowsOf<T>(length: number, flat: readonly T[]): T[][] {
  return Array.from({ length: flat.length / length }, (_, i) => flat.slice(i * length, (i + 1) * length));
}
