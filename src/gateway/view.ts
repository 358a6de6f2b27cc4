import type { Avatar } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import type { Found, ListQuery, Place, Store } from '../store/store.js';
import type { Limits } from './limits/limits.js';

export type { ListQuery, Place } from '../store/store.js';

/** Where an avatar stands in the queue. */
export interface QueuePlace {
  /** 1 is the next. */
  readonly position: number;
  /** When it may be submitted, from how fast the queue drains; `null` where nothing is known yet. */
  readonly estimatedStartAt: number | null;
}

/** An avatar as a caller sees it. */
export interface AvatarSnapshot {
  readonly avatar: Avatar;
  /** `null` unless it is queued. */
  readonly queue: QueuePlace | null;
}

/** The same with the version of its record; a higher one is later. */
export interface VersionedSnapshot extends AvatarSnapshot {
  readonly version: number;
}

export function snapshotOf(
  limits: Pick<Limits, 'startInMs'>,
  { avatar, ahead, now, version }: Found,
): VersionedSnapshot {
  if (ahead === null) return { avatar, version, queue: null };
  const startInMs = limits.startInMs(ahead);
  return {
    avatar,
    version,
    queue: { position: ahead + 1, estimatedStartAt: startInMs === null ? null : now + startInMs },
  };
}

/** A page of a caller's avatars, the newest first. `next`: where it ends; `null` where nothing follows. */
export interface SnapshotPage {
  readonly page: readonly AvatarSnapshot[];
  readonly next: Place | null;
}

/** @throws {StoreUnavailableError} */
export async function list(
  { store, limits }: { readonly store: Pick<Store, 'list'>; readonly limits: Pick<Limits, 'startInMs'> },
  scope: Scope,
  query: ListQuery,
): Promise<SnapshotPage> {
  const { found, next } = await store.list(scope, query);
  return { page: found.map((each) => snapshotOf(limits, each)), next };
}
