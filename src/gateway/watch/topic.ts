import { isWithin, type Scope } from '../../domain/caller.js';
import type { Changed, Found, Store } from '../../store/store.js';
import type { Reread } from './rereads.js';
import type { SeenVersion } from '../view.js';

/** Who watches one avatar. */
export interface Watcher {
  readonly scope: Scope;
  /** How it is, where it may have changed: perhaps no other than it was, or than the watcher read itself. `null`: it was removed. */
  told(seen: SeenVersion | null): void;
  /** The gateway stops: no more is told. */
  ended(): void;
}

/** Who watches all avatars within a scope. */
export interface FeedWatcher {
  /** @param at the place of the change among all there are */
  changed(at: number, seen: SeenVersion): void;
  removed(id: string): void;
  /** Changes were missed that cannot be found any more. @param at what comes is behind this place */
  lost(at: number): void;
  ended(): void;
}

/** Where what is told comes from. */
export interface Sources {
  readonly store: Pick<Store, 'find' | 'feed'>;
  readonly see: (found: Found) => SeenVersion;
}

/** What an avatar looks like to its caller once it was changed: the feed does not say where it stands in the queue. */
export async function seenOf({ store, see }: Sources, changed: Changed) {
  const { avatar } = changed;
  const found = avatar.status === 'queued' ? await store.find(avatar.caller, avatar.id) : null;
  return see(found ?? { ...changed, ahead: null });
}

/** One avatar that is watched. */
export class Topic implements Reread {
  readonly watchers = new Set<Watcher>();
  readonly #id: string;
  readonly #sources: Sources;

  constructor(id: string, sources: Sources) {
    this.#id = id;
    this.#sources = sources;
  }

  get wanted(): boolean {
    return this.watchers.size > 0;
  }

  /** For each scope that it is claimed for: whoever looks in another than the avatar's finds nothing and goes. */
  async read(): Promise<void> {
    const scopes = new Set([...this.watchers].map(({ scope }) => scope));
    for (const scope of scopes) {
      const found = await this.#sources.store.find(scope, this.#id);
      const seen = found && this.#sources.see(found);
      for (const watcher of [...this.watchers]) if (watcher.scope === scope) watcher.told(seen);
    }
  }

  /** Tells those who may see an avatar of that caller. */
  tell(caller: string, seen: SeenVersion | null): void {
    for (const watcher of [...this.watchers]) if (isWithin(watcher.scope, caller)) watcher.told(seen);
  }
}
