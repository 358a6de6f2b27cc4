import { EVERYONE, type Scope } from '../../domain/caller.js';
import type { Changed, Feed, Stored } from '../store.js';
import type { Connection } from './connection/connection.js';
import { idIn, idWord } from './ids.js';
import { word } from './marks.js';
import type { Records } from './records.js';

type Row = readonly [id: Buffer, at: Buffer, stored: Buffer | null];

/** That an avatar was changed. `at`: a number of microseconds, or one more than the last where the clock did not go on. */
interface Entry {
  readonly id: string;
  readonly at: number;
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
    if (after === null) return { changed: [], last: (await this.#read(feed, 0, 0)).last, whole: true };
    const show = async ({ id, stored, now }: Entry): Promise<Stored | null> => {
      const found = await this.#records.listed(scope, id, stored, now, null, feed, idWord(id));
      return found && { avatar: found.avatar, version: found.version, now };
    };
    const changed = new Map<string, Changed>();
    let behind = Math.max(0, after);
    let forgotten = 0;
    for (;;) {
      const { entries, last, ...rest } = await this.#read(feed, behind, limit);
      forgotten = Math.max(forgotten, rest.forgotten);
      const found = await Promise.all(entries.map(show));
      entries.forEach(({ id, at }, i) => {
        const stored = found[i];
        changed.delete(id); // What was changed since it was read is had in its new place.
        if (stored) changed.set(id, { ...stored, at });
      });
      behind = entries.at(-1)?.at ?? behind;
      if (changed.size < limit && entries.length === limit) continue;
      // Who knows of more than there is knows another store, which this one was before it lost something.
      const whole = forgotten <= after && after <= last;
      return { changed: [...changed.values()].slice(0, limit), last, whole };
    }
  }

  /** The first so many entries behind a place. `forgotten`: up to where changes may be missing. */
  async #read(feed: string, behind: number, count: number) {
    const answer = await this.#redis.run('feed', { feed, after: behind, limit: count });
    const [now, last, forgotten, rows] = answer as [number, Buffer, Buffer, Row[]];
    const entries: Entry[] = rows.map(([id, at, stored]) => ({
      id: idIn(id),
      at: number(at),
      stored,
      now,
    }));
    return { entries, last: number(last), forgotten: number(forgotten) };
  }
}

const number = (text: Buffer): number => Number(String(text));
