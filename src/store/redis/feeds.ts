import { EVERYONE, type Scope } from '../../domain/caller.js';
import type { Changed, Feed } from '../store.js';
import type { Connection } from './connection/connection.js';
import { idIn } from './ids.js';
import { word } from './marks.js';
import type { Records } from './records.js';

/** Of an avatar that was changed; `at`: the place of that. */
type Row = readonly [id: Buffer, at: Buffer, stored: Buffer | null];

/**
 * The changes of the avatars of callers. A place is a number of microseconds, or one more than the last where the clock did not go on.
 * @throws StoreUnavailableError
 */
export async function feed(
  redis: Connection,
  records: Records,
  scope: Scope,
  after: number | null,
  limit: number,
): Promise<Feed> {
  const name = scope === EVERYONE ? 'feed' : `feed:${word(scope)}`;
  const changed = new Map<string, Changed>();
  let [behind, forgotten] = [Math.max(0, after ?? 0), 0];
  for (;;) {
    const answer = await redis.run('feed', { feed: name, after: behind, limit: after === null ? 0 : limit });
    const [now, last, upTo, rows] = answer as [number, Buffer, Buffer, Row[]];
    const ends = { last: Number(String(last)), whole: true };
    if (after === null) return { changed: [], ...ends };
    forgotten = Math.max(forgotten, Number(String(upTo)));
    const found = rows.map(([entry, , stored]) =>
      records.listed(scope, idIn(entry), stored, now, null, name, String(entry)),
    );
    for (const [i, each] of (await Promise.all(found)).entries()) {
      const [entry = '', at = ''] = rows[i] ?? [];
      behind = Number(String(at));
      changed.delete(idIn(entry)); // What was changed since it was read is had in its new place.
      if (each) changed.set(idIn(entry), { avatar: each.avatar, version: each.version, now, at: behind });
    }
    if (changed.size < limit && rows.length === limit) continue;
    // Who knows of more than there is knows another store, which this one was before it lost something.
    const whole = forgotten <= after && after <= ends.last;
    return { changed: [...changed.values()].slice(0, limit), ...ends, whole };
  }
}
