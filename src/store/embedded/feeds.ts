import { callerDigest } from '../digests.js';
import { type Entry, feedOf } from '../feeds.js';
import { CorruptRecordError } from '../record.js';
import { FEED_MS, type Feed, type Stored } from '../store.js';
import type { Transaction } from './commit.js';
import type { Engine } from './engine.js';
import {
  decodeFeedEnds,
  encodeFeedEnds,
  feedBehind,
  feedEndsKey,
  feedUpTo,
  parseFeedKey,
  rangeOf,
} from './keys.js';
import { readRecord } from './records.js';

/** Between two times that old changes are forgotten. */
const FORGET_EVERY_MS = 3_600_000;
/** How many are forgotten in one transaction. */
const FORGOTTEN_AT_ONCE = 1000;

/** Gives the change of an avatar of a caller its place, which the avatar is to be listed with. */
export function noteChange(tx: Transaction, caller: string, now: number): number {
  const { last, forgotten } = decodeFeedEnds(tx.get(feedEndsKey(caller)));
  const at = Math.max(last + 1, now * 1000);
  tx.put(feedEndsKey(caller), encodeFeedEnds({ last: at, forgotten }));
  return at;
}

/** The feeds of changes: reads them, and forgets what is old. */
export class Feeds {
  readonly #engine: Engine;
  #forgetAt = Number.NEGATIVE_INFINITY;
  #forgetting: Promise<void> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws StoreUnavailableError */
  async feed(caller: string, after: number | null, limit: number): Promise<Feed> {
    await this.#forgetting;
    await this.#engine.ready();
    const digest = callerDigest(caller);
    return feedOf(
      after,
      limit,
      (behind, count) =>
        this.#engine.disk.view(async (view) => {
          const ends = decodeFeedEnds(await view.get(feedEndsKey(digest)));
          const keys = await view.keys({ ...feedBehind(digest, behind), limit: count });
          return { ...ends, entries: keys.map((key) => ({ ...parseFeedKey(digest, key), key })) };
        }),
      (entries) => this.#look(caller, entries),
    );
  }

  /** To be called with changes: once in a while, the first time included, old ones are forgotten. */
  grew(): void {
    const now = this.#engine.now();
    if (now < this.#forgetAt) return;
    this.#forgetAt = now + FORGET_EVERY_MS;
    // What cannot be forgotten now can be the next time.
    this.#forgetting = this.#forget((now - FEED_MS) * 1000).catch(() => {});
  }

  /** Resolves when nothing is being forgotten. */
  async settled(): Promise<void> {
    await this.#forgetting;
  }

  #look(caller: string, entries: readonly (Entry & { key: string })[]): Promise<(Stored | null)[]> {
    return this.#engine.transact((tx) =>
      entries.map(({ id, key }) => {
        const found = readRecord(tx, id);
        if (found === null || found instanceof CorruptRecordError) {
          tx.del(key);
          if (found !== null) this.#engine.setAside(tx, id);
        }
        if (found === null || found instanceof Error || found.avatar.caller !== caller) return null;
        return { avatar: found.avatar, version: found.meta.version, now: this.#engine.now() };
      }),
    );
  }

  async #forget(upTo: number): Promise<void> {
    const { disk } = this.#engine;
    for (const ends of await disk.keys(rangeOf('feeds!'))) {
      const caller = ends.slice('feeds!'.length);
      const range = { ...feedUpTo(caller, Math.max(0, upTo)), limit: FORGOTTEN_AT_ONCE };
      for (let keys = await disk.keys(range); keys.length > 0; keys = await disk.keys(range)) {
        await this.#engine.transact((tx) => {
          for (const key of keys) tx.del(key);
          const { last, forgotten } = decodeFeedEnds(tx.get(ends));
          tx.put(ends, encodeFeedEnds({ last, forgotten: Math.max(forgotten, upTo) }));
        });
      }
    }
  }
}
