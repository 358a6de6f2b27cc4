import { callerDigest } from '../digests.js';
import { feedOf } from '../feeds.js';
import type { Feed, Stored } from '../store.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import type { Records } from './records.js';

/** The changes of the avatars of callers. */
export class Feeds {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #records: Records;

  constructor(redis: Connection, keys: Keys, records: Records) {
    this.#redis = redis;
    this.#keys = keys;
    this.#records = records;
  }

  /** @throws StoreUnavailableError */
  async feed(caller: string, after: number | null, limit: number): Promise<Feed> {
    const feed = this.#keys.feed(callerDigest(caller));
    return feedOf(
      after,
      limit,
      async (behind, count) => {
        const row = await this.#redis.run('feed', [feed], behind, count);
        const [last, forgotten, changes] = row as [Buffer, Buffer, Buffer[]];
        const entries = changes.flatMap((id, i) =>
          i % 2 === 0 ? [{ id: String(id), at: Number(String(changes[i + 1])) }] : [],
        );
        return { entries, last: Number(String(last)), forgotten: Number(String(forgotten)) };
      },
      (entries) => Promise.all(entries.map(({ id }) => this.#look(caller, id, feed))),
    );
  }

  async #look(caller: string, id: string, feed: string): Promise<Stored | null> {
    const found = await this.#records.listed(caller, id, feed, [id]);
    return found && { avatar: found.avatar, version: found.version, now: found.now };
  }
}
