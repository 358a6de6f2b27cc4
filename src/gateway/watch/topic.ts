import { setImmediate } from 'node:timers/promises';
import { isWithin, type Scope } from '../../domain/caller.js';
import type { Changed, Found, Store } from '../../store/store.js';
import type { VersionedSnapshot } from '../view.js';
import type { Reread } from './rereads.js';

/** Who watches one avatar. */
export interface Watcher {
  /** Its state after a change; one that the watcher knows already may come again. `null`: it was removed. */
  told(seen: VersionedSnapshot | null): void;
  /** The gateway stops: no more is told. */
  ended(): void;
}

/** Who watches all avatars within a scope. */
export interface FeedWatcher {
  /** @param at the place of the change among all there are: who knows it can go on behind it */
  changed(at: number, seen: VersionedSnapshot): void;
  removed(id: string): void;
  /** Changes were missed that cannot be found any more. @param at what comes is behind this place */
  lost(at: number): void;
  /** No more is told. @param error the store went away while it was told what it had missed */
  ended(error?: unknown): void;
}

/** Where what is told comes from. */
export interface Sources {
  readonly store: Pick<Store, 'find' | 'feed'>;
  readonly see: (found: Found) => VersionedSnapshot;
}

/** How many changes one read brings. */
const PAGE = 100;
/** Told of in one turn of the event loop: what is written is sent at the end of a turn, and until then its reader seems to be behind. */
const CHANGES_A_TURN = 8;

/** What an avatar looks like to its caller once it was changed: the feed does not say where it stands in the queue. */
export async function seenOf({ store, see }: Sources, changed: Changed) {
  const { avatar } = changed;
  const found = avatar.status === 'queued' ? await store.find(avatar.caller, avatar.id) : null;
  return see(found ?? { ...changed, ahead: null });
}

/** One avatar that is watched, each watcher in a scope of its own. */
export class Topic implements Reread {
  readonly watchers = new Map<Watcher, Scope>();
  readonly #id: string;
  readonly #sources: Sources;

  constructor(id: string, sources: Sources) {
    this.#id = id;
    this.#sources = sources;
  }

  get wanted(): boolean {
    return this.watchers.size > 0;
  }

  /** Once for each scope it is watched in: who watches in another than the avatar's is told that it is not there. */
  async read(): Promise<void> {
    for (const scope of new Set(this.watchers.values())) {
      const found = await this.#sources.store.find(scope, this.#id);
      const seen = found && this.#sources.see(found);
      for (const [watcher, its] of [...this.watchers]) if (its === scope) watcher.told(seen);
    }
  }

  /** Tells those who could see an avatar of that caller that it was removed. */
  removed(caller: string): void {
    for (const [watcher, scope] of [...this.watchers]) if (isWithin(scope, caller)) watcher.told(null);
  }
}

/** The avatars within a scope, watched as one. */
export class FeedTopic implements Reread {
  readonly watchers = new Set<FeedWatcher>();
  readonly #scope: Scope;
  readonly #sources: Sources;
  /** Everything up to this place was told; `null` until somebody knows one. */
  at: number | null = null;
  /** Removed while a page is told: what it holds of them is told no more. */
  #gone = new Set<string>();

  constructor(scope: Scope, sources: Sources) {
    this.#scope = scope;
    this.#sources = sources;
  }

  get wanted(): boolean {
    return this.watchers.size > 0;
  }

  removed(id: string): void {
    this.#gone.add(id);
    for (const watcher of [...this.watchers]) watcher.removed(id);
  }

  async read(): Promise<void> {
    while (this.at !== null && this.wanted) {
      this.#gone.clear();
      const { changed, last, whole } = await this.#sources.store.feed(this.#scope, this.at, PAGE);
      if (!whole) {
        this.at = last;
        for (const watcher of [...this.watchers]) watcher.lost(last);
        return;
      }
      for (const [index, each] of changed.entries()) {
        if (index % CHANGES_A_TURN === CHANGES_A_TURN - 1) await setImmediate();
        const seen = await seenOf(this.#sources, each);
        this.at = each.at;
        if (this.#gone.has(each.avatar.id)) continue;
        for (const watcher of [...this.watchers]) watcher.changed(each.at, seen);
      }
      if (changed.length < PAGE) {
        this.at = last;
        return;
      }
    }
  }
}
