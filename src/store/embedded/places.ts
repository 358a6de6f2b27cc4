import { callerDigest } from '../digests.js';
import type { Transaction } from './commit.js';
import { decodeFeedEnds, encodeFeedEnds, feedEndsKey, rangeOf } from './keys.js';
import type { LevelDisk } from './level.js';

/** The places of changes, which grow over all feeds. The last one is in memory; on disk it is the last of any feed. */
export class Places {
  #last = 0;

  /** Reads it anew. @throws StoreUnavailableError */
  async load(disk: LevelDisk): Promise<void> {
    const feeds = await disk.entries(rangeOf('feeds!'));
    this.#last = feeds.reduce((last, [, ends]) => Math.max(last, decodeFeedEnds(ends).last), 0);
  }

  /** Gives the change of an avatar of a caller its place, which the avatar is to be listed with. */
  take(tx: Transaction, caller: string, now: number): number {
    const key = feedEndsKey(callerDigest(caller));
    const at = Math.max(this.#last + 1, now * 1000);
    tx.put(key, encodeFeedEnds({ ...decodeFeedEnds(tx.get(key)), last: at, caller }));
    tx.also(() => {
      this.#last = at;
    });
    return at;
  }
}
