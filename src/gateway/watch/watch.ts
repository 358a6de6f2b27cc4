import { EVERYONE, type Scope } from '../../domain/caller.js';
import type { Change, Store } from '../../store/store.js';
import { Rereads } from './rereads.js';
import { FeedTopic, type FeedWatcher, type Sources, Topic, type Watcher } from './topic.js';

export interface WatchOptions extends Sources {
  readonly store: Pick<Store, 'find' | 'feed' | 'onChange'>;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

/**
 * Who watches avatars is told of each change, whichever replica brings it about. A change is read from the store once,
 * however many watch; while nothing changes nothing is read. Where words may have been lost all that is watched is read again.
 *
 * Who joins is told of what changes from then on: subscribe first, then read the present state.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #rereads: Rereads;
  readonly #avatars = new Map<string, Topic>();
  readonly #feeds = new Map<Scope, FeedTopic>();
  readonly #end: () => void;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#rereads = new Rereads(options.random);
    this.#end = options.store.onChange((change) => {
      if (change === null) this.#doubt();
      else this.#changed(change);
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The ids of the avatars that are watched one by one. */
  get ids(): Pick<ReadonlySet<string>, 'has' | 'size'> {
    return this.#avatars;
  }

  /** Returns how to leave. */
  avatar(scope: Scope, id: string, watcher: Watcher): () => void {
    const topic = this.#avatars.get(id) ?? new Topic(id, this.#options);
    this.#avatars.set(id, topic);
    topic.watchers.set(watcher, scope);
    return () => {
      if (!topic.watchers.delete(watcher) || topic.wanted) return;
      this.#avatars.delete(id);
      this.#rereads.forget(topic);
    };
  }

  /** Reads an avatar once more, where its watcher could not. */
  retry(id: string): void {
    const topic = this.#avatars.get(id);
    if (topic !== undefined) this.#rereads.failed(topic);
  }

  /** Nothing is told before {@link FeedJoined.begin}. */
  all(scope: Scope, watcher: FeedWatcher): FeedJoined {
    const topic = this.#feeds.get(scope) ?? new FeedTopic(scope, this.#options);
    this.#feeds.set(scope, topic);
    topic.watchers.add(watcher);
    return {
      begin: (at) => {
        topic.at ??= at;
        this.#rereads.ask(topic, 'changed');
      },
      leave: () => {
        if (!topic.watchers.delete(watcher) || topic.wanted) return;
        this.#feeds.delete(scope);
        this.#rereads.forget(topic);
      },
    };
  }

  /** Lets everyone go. */
  close(): void {
    this.#closed = true;
    this.#end();
    for (const topic of [...this.#avatars.values(), ...this.#feeds.values()]) {
      this.#rereads.forget(topic);
      for (const watcher of [...topic.watchers.keys()]) watcher.ended();
    }
  }

  #changed({ id, caller, version }: Change): void {
    const topic = this.#avatars.get(id);
    const feeds = [this.#feeds.get(caller), this.#feeds.get(EVERYONE)].filter((feed) => feed !== undefined);
    if (version === null) {
      topic?.removed(caller);
      for (const feed of feeds) feed.removed(id);
    } else {
      for (const each of [...feeds, ...(topic === undefined ? [] : [topic])])
        this.#rereads.ask(each, 'changed');
    }
  }

  #doubt(): void {
    for (const topic of [...this.#feeds.values(), ...this.#avatars.values()]) {
      this.#rereads.ask(topic, 'doubtful');
    }
  }
}

/** @see Watch.all */
export interface FeedJoined {
  /** Tells of changes from now on, those behind a place among them. Who knows a place calls it, once. */
  begin(at: number): void;
  leave(): void;
}
