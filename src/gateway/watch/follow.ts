import type { Scope } from '../../domain/caller.js';
import type { VersionedSnapshot } from '../view.js';
import { type FeedWatcher, type Sources, seenOf, type Watcher } from './topic.js';
import type { Watch } from './watch.js';

/** Who watches all avatars within a scope, at its own pace. */
export interface FeedFollower extends FeedWatcher {
  readonly reader: {
    /** Takes in less than there is to tell: it is told the rest, as it is by then, once it has {@link drained}. */
    readonly isBehind: boolean;
    /** Resolves when it took in all it was told; `false`: it takes no more. */
    drained(): Promise<boolean>;
  };
}

export interface Following extends Sources {
  readonly watch: Pick<Watch, 'avatar' | 'all' | 'closed'>;
}

/** What lies in the backlog is read so many changes at a time: they stay in memory while their reader is slow. */
const PAGE = 20;

/**
 * Follows an avatar: its watcher is told of each version once, the later one later.
 * @param open is given its present state, and returns whom to tell of later ones, if anybody
 * @returns how to leave; `null` where the avatar is not there, and then nothing was opened
 * @throws {StoreUnavailableError}
 */
export async function follow(
  { store, watch, see }: Following,
  scope: Scope,
  id: string,
  open: (present: VersionedSnapshot) => Watcher | null,
): Promise<(() => void) | null> {
  let follower: Watcher | null = null;
  let latest = 0;
  let early: VersionedSnapshot | null | undefined;
  const tell = (seen: VersionedSnapshot | null) => {
    if (seen !== null && seen.version <= latest) return;
    latest = seen?.version ?? latest;
    follower?.told(seen);
  };
  const leave = watch.avatar(scope, id, {
    told(seen) {
      if (follower === null) early = seen;
      else tell(seen);
    },
    ended: () => follower?.ended(),
  });
  try {
    const found = await store.find(scope, id);
    if (found !== null) {
      latest = found.version;
      follower = open(see(found));
    }
    if (follower === null) leave();
    else if (early !== undefined) tell(early);
    if (watch.closed) follower?.ended();
    return found && leave;
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Follows the avatars within a scope: from now on, or behind a place. Nothing is told twice, or left out, or before what came
 * before it; a removal is told when it happens.
 * @param open is given the place behind which all is told
 * @returns how to leave
 * @throws {StoreUnavailableError}
 */
export async function followAll(
  following: Following,
  scope: Scope,
  after: number | null,
  open: (at: number) => FeedFollower,
): Promise<() => void> {
  const backlog = new Backlog(following, scope);
  const { begin, leave } = following.watch.all(scope, backlog);
  try {
    const { last, isLost } = await backlog.start(after);
    const follower = open(backlog.at);
    if (isLost) follower.lost(backlog.at);
    backlog.follower = follower;
    begin(last);
    if (following.watch.closed) follower.ended();
    backlog.catchUp(follower);
    return leave;
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Tells of the backlog, then of the present. What changes while it tells of the backlog is found at the end of that. For who is behind the
 * present becomes the backlog: it is read from the store once there is room for it, and takes no memory until then.
 */
class Backlog implements FeedWatcher {
  readonly #following: Following;
  readonly #scope: Scope;
  follower: FeedFollower | null = null;
  /** Everything up to here was told. */
  at = 0;
  #isPast = true;
  /** The latest change that was heard of and not told. */
  #heard = 0;
  /** Removed meanwhile, so that it is not told of any more. */
  readonly #gone = new Set<string>();

  constructor(following: Following, scope: Scope) {
    this.#following = following;
    this.#scope = scope;
  }

  /** Finds out where the backlog ends, and whether all of it is known. */
  async start(after: number | null): Promise<{ readonly last: number; readonly isLost: boolean }> {
    const { last, whole } = await this.#following.store.feed(this.#scope, after, 1);
    const isLost = after !== null && !whole;
    this.at = after === null || isLost ? last : after;
    this.#heard = Math.max(this.#heard, last);
    return { last, isLost };
  }

  catchUp(follower: FeedFollower): void {
    this.#isPast = true;
    this.#tell(follower).catch((error: unknown) => follower.ended(error));
  }

  async #tell(follower: FeedFollower): Promise<void> {
    while (this.#heard > this.at) {
      if (!(await follower.reader.drained())) return;
      const heard = this.#heard;
      const { changed, whole, last } = await this.#following.store.feed(this.#scope, this.at, PAGE);
      if (!whole) {
        this.#jump(last);
        continue;
      }
      for (const each of changed) {
        if (!(await follower.reader.drained())) return;
        const seen = await seenOf(this.#following, each);
        this.at = each.at;
        if (!this.#gone.has(each.avatar.id)) follower.changed(each.at, seen);
      }
      // What was heard of before and is not in it was removed.
      if (changed.length < PAGE) this.at = Math.max(this.at, last, heard);
    }
    this.#isPast = false;
    this.#gone.clear();
  }

  changed(place: number, seen: VersionedSnapshot): void {
    if (place <= this.at) return;
    if (this.#isPast) {
      this.#heard = Math.max(this.#heard, place);
      return;
    }
    if (this.follower?.reader.isBehind) {
      this.#heard = place;
      this.catchUp(this.follower);
      return;
    }
    this.at = place;
    this.follower?.changed(place, seen);
  }

  removed(id: string): void {
    if (this.#isPast) this.#gone.add(id);
    this.follower?.removed(id);
  }

  lost(place: number): void {
    this.#jump(place);
  }

  ended(): void {
    this.follower?.ended();
  }

  #jump(place: number): void {
    this.at = place;
    this.#heard = place;
    this.follower?.lost(place);
  }
}
