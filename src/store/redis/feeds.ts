import { EVERYONE, type Scope } from '../../domain/caller.js';
import { type Entry, feedOf } from '../feeds.js';
import type { Feed, Stored } from '../store.js';
import type { Connection } from './connection/connection.js';
import { idIn, idWord } from './ids.js';
import { word } from './marks.js';
import type { Records } from './records.js';

type Row = readonly [id: Buffer, at: Buffer, stored: Buffer | null];

interface ReadEntry extends Entry {
  readonly stored: Buffer | null;
  readonly now: number;
}

/** The changes of the avatars of callers. */
export class Feeds {
  readonly #redis: Connection;
  readonly #records: Records;

  constructor(redis: Connection, records: Records) {
    this.#redis = redis;
    this.#records = records;
  }

  /** @throws StoreUnavailableError */
  async feed(scope: Scope, after: number | null, limit: number): Promise<Feed> {
    const feed = scope === EVERYONE ? 'feed' : `feed:${word(scope)}`;
    const read = async (behind: number, count: number) => {
      const answer = await this.#redis.run('feed', { feed, after: behind, limit: count });
      const [now, last, forgotten, rows] = answer as [number, Buffer, Buffer, Row[]];
      const entries = rows.map(([id, at, stored]) => ({ id: idIn(id), at: number(at), stored, now }));
      return { entries, last: number(last), forgotten: number(forgotten) };
    };
    const look = async ({ id, stored, now }: ReadEntry): Promise<Stored | null> => {
      const found = await this.#records.listed(scope, id, stored, now, null, feed, idWord(id));
      return found && { avatar: found.avatar, version: found.version, now };
    };
    return feedOf(after, limit, read, (entries) => Promise.all(entries.map(look)));
  }
}

const number = (text: Buffer): number => Number(String(text));
