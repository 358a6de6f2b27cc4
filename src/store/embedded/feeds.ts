import { EVERYONE, type Scope } from '../../domain/caller.js';
import { callerDigest } from '../digests.js';
import { type Entry, feedOf, type Stretch } from '../feeds.js';
import { CorruptRecordError } from '../record.js';
import { FEED_MS, type Feed, type Stored } from '../store.js';
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
import type { View } from './level.js';
import { readRecordOf } from './records.js';

/** Between two times that old changes are forgotten. */
const FORGET_EVERY_MS = 3_600_000;
/** How many are forgotten in one transaction. */
const FORGOTTEN_AT_ONCE = 1000;

/** `caller`: in whose feed it stands, by its digest. */
interface OwnedEntry extends Entry {
  readonly caller: string;
  readonly key: string;
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
  async feed(scope: Scope, after: number | null, limit: number): Promise<Feed> {
    await this.#forgetting;
    await this.#engine.ready();
    return feedOf(
      after,
      limit,
      (behind, count) =>
        this.#engine.disk.view((view) =>
          scope === EVERYONE ? all(view, behind, count) : one(view, callerDigest(scope), behind, count),
        ),
      (entries) => this.#look(entries),
    );
  }

  /** Every caller whose feed says whose it is, in order. @throws StoreUnavailableError */
  async callers(): Promise<string[]> {
    await this.#engine.ready();
    const feeds = await this.#engine.disk.entries(rangeOf('feeds!'));
    return feeds.flatMap(([, ends]) => decodeFeedEnds(ends).caller ?? []).sort();
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

  #look(entries: readonly OwnedEntry[]): Promise<(Stored | null)[]> {
    return this.#engine.transact((tx) =>
      entries.map(({ caller, id, key }) => {
        const found = readRecordOf(tx, caller, id);
        if (found === null || found instanceof CorruptRecordError) {
          tx.del(key);
          if (found !== null) this.#engine.setAside(tx, id);
        }
        if (found === null || found instanceof Error) return null;
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
          const before = decodeFeedEnds(tx.get(ends));
          tx.put(ends, encodeFeedEnds({ ...before, forgotten: Math.max(before.forgotten, upTo) }));
        });
      }
    }
  }
}

async function one(view: View, caller: string, behind: number, count: number): Promise<Stretch<OwnedEntry>> {
  const { last, forgotten } = decodeFeedEnds(await view.get(feedEndsKey(caller)));
  return { last, forgotten, entries: await changesOf(view, caller, behind, count) };
}

/** The changes of all callers, the oldest first. */
async function all(view: View, behind: number, count: number): Promise<Stretch<OwnedEntry>> {
  const stretch = { last: 0, forgotten: 0, entries: [] as OwnedEntry[] };
  for (const [key, value] of await view.entries(rangeOf('feeds!'))) {
    const { last, forgotten } = decodeFeedEnds(value);
    stretch.last = Math.max(stretch.last, last);
    if (last <= behind) continue;
    stretch.forgotten = Math.max(stretch.forgotten, forgotten);
    const found = await changesOf(view, key.slice('feeds!'.length), behind, count);
    stretch.entries = [...stretch.entries, ...found].sort((a, b) => a.at - b.at).slice(0, count);
  }
  return stretch;
}

async function changesOf(view: View, caller: string, behind: number, count: number): Promise<OwnedEntry[]> {
  const keys = await view.keys({ ...feedBehind(caller, behind), limit: count });
  return keys.map((key) => ({ ...parseFeedKey(caller, key), caller, key }));
}
