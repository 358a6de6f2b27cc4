import { setImmediate } from 'node:timers/promises';
import type { Scope } from '../../domain/caller.js';
import type { Reread } from './rereads.js';
import type { SeenVersion } from '../view.js';
import { type FeedWatcher, type Sources, seenOf } from './topic.js';

/** How many changes one read brings. */
const PAGE = 100;
/** Told of in one turn of the event loop: what is written is sent at the end of a turn, and until then its reader seems to be behind. */
const CHANGES_A_TURN = 8;

/** Those who watch single avatars of the caller, whatever their own scope is. */
interface Single {
  tell(seen: SeenVersion): void;
  read(id: string): void;
}

/** The avatars within a scope, watched as one. */
export class FeedTopic implements Reread {
  readonly watchers = new Set<FeedWatcher>();
  readonly #scope: Scope;
  readonly #sources: Sources;
  readonly #single: Single | null;
  /** Everything up to this place was told; `null` until somebody knows one. */
  at: number | null = null;
  /** Avatars that changed, and are watched one by one as well: the next read brings them, too. */
  #owed = new Set<string>();
  /** Removed while a page is told: what it holds of them is told no more. */
  #gone: Set<string> | null = null;

  /** @param single who is told by it as well; with `null` nothing may be owed */
  constructor(scope: Scope, sources: Sources, single: Single | null) {
    this.#scope = scope;
    this.#sources = sources;
    this.#single = single;
  }

  get wanted(): boolean {
    return this.watchers.size > 0;
  }

  owe(id: string): void {
    this.#owed.add(id);
  }

  /** Has what is owed read one by one. */
  handOver(): void {
    for (const id of this.#owed) this.#single?.read(id);
    this.#owed.clear();
  }

  async read(): Promise<void> {
    const owed = this.#owed;
    this.#owed = new Set();
    try {
      if (await this.#readOn()) return;
      for (const id of owed) this.#owed.add(id);
      this.handOver();
    } catch (error) {
      for (const id of owed) this.#owed.add(id);
      throw error;
    } finally {
      this.#gone = null;
    }
  }

  removed(id: string): void {
    this.#gone?.add(id);
    for (const watcher of [...this.watchers]) watcher.removed(id);
  }

  /** Says whether everything there was to tell was told. */
  async #readOn(): Promise<boolean> {
    while (this.at !== null && this.wanted) {
      const gone = new Set<string>();
      this.#gone = gone;
      const { changed, last, whole } = await this.#sources.store.feed(this.#scope, this.at, PAGE);
      if (!whole) {
        this.at = last;
        for (const watcher of [...this.watchers]) watcher.lost(last);
        return false;
      }
      for (const [index, each] of changed.entries()) {
        if (index % CHANGES_A_TURN === CHANGES_A_TURN - 1) await setImmediate();
        const seen = await seenOf(this.#sources, each);
        this.at = each.at;
        if (gone.has(each.avatar.id)) continue;
        for (const watcher of [...this.watchers]) watcher.changed(each.at, seen);
        this.#single?.tell(seen);
      }
      if (changed.length < PAGE) {
        this.at = last;
        return true;
      }
    }
    return false;
  }
}
