import type { Avatar } from '../../domain/avatar.js';
import type { Scope } from '../../domain/caller.js';
import type { VersionedSnapshot } from '../view.js';
import type { Sources, Watcher } from './topic.js';
import type { Watch } from './watch.js';

export interface Wait {
  readonly withinMs: number;
  /** Is given how to end the wait early, for whoever waits may go away. */
  readonly leaving?: (leave: () => void) => void;
}

/** What a wait needs. */
export interface Waiting extends Sources {
  readonly watch: Pick<Watch, 'avatar' | 'retry' | 'closed'>;
}

/**
 * Reads an avatar now, and is told of its changes, until it is as it is waited for, or the time is over: then it is
 * returned as it was last known. One read, whatever the time. `null` where it is not there, or not any more.
 * @param known how it was a moment ago, where that is known: it does when the store is away
 * @throws {StoreUnavailableError} when it cannot be read and nothing is known of it
 */
export async function until(
  { store, watch, see }: Waiting,
  scope: Scope,
  id: string,
  { withinMs, leaving }: Wait,
  isDone: (avatar: Avatar) => boolean,
  known?: VersionedSnapshot,
): Promise<VersionedSnapshot | null> {
  const waiter = new Waiter(isDone, known);
  const leave = watch.avatar(scope, id, waiter);
  try {
    const found = await store.find(scope, id).catch((error: unknown) => {
      if (known === undefined) throw error;
      watch.retry(id);
      return undefined;
    });
    if (found !== undefined) waiter.told(found && see(found));
    if (waiter.isOver || watch.closed || withinMs <= 0) return waiter.latest;
    const timer = setTimeout(waiter.ended, withinMs);
    leaving?.(waiter.ended);
    await waiter.over;
    clearTimeout(timer);
    return waiter.latest;
  } finally {
    leave();
  }
}

class Waiter implements Watcher {
  readonly #isDone: (avatar: Avatar) => boolean;
  latest: VersionedSnapshot | null;
  isOver = false;
  #isTold = false;
  readonly over: Promise<void>;
  /** Twice is fine. */
  readonly ended: () => void;

  constructor(isDone: (avatar: Avatar) => boolean, known: VersionedSnapshot | undefined) {
    this.#isDone = isDone;
    this.latest = known ?? null;
    let end = (): void => undefined;
    this.over = new Promise((resolve) => {
      end = resolve;
    });
    this.ended = () => {
      this.isOver = true;
      end();
    };
  }

  told(seen: VersionedSnapshot | null): void {
    // The wait may have ended while it was read for the first time, as the process stops.
    if (this.isOver && this.#isTold) return;
    this.#isTold = true;
    // What was read before the change is no news to who read after it.
    if (seen !== null && this.latest !== null && seen.version < this.latest.version) return;
    this.latest = seen;
    if (seen === null || this.#isDone(seen.avatar)) this.ended();
  }
}
