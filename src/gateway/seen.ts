import type { Avatar } from '../domain/avatar.js';
import type { Found } from '../store/store.js';
import type { Limits } from './limits.js';

/** Where an avatar stands in the queue. */
export interface QueuePlace {
  /** 1 is the next. */
  readonly position: number;
  /** When it may be submitted, from how fast the queue drains; `null` where nothing is known yet. */
  readonly estimatedStartAt: number | null;
}

/** An avatar as a caller sees it. */
export interface Seen {
  readonly avatar: Avatar;
  /** `null` unless it is queued. */
  readonly queue: QueuePlace | null;
}

/** The same with the version of its record; a higher one is later. */
export interface SeenVersion extends Seen {
  readonly version: number;
}

export function seen(limits: Pick<Limits, 'startInMs'>, { avatar, ahead, now, version }: Found): SeenVersion {
  if (ahead === null) return { avatar, version, queue: null };
  const startInMs = limits.startInMs(ahead);
  return {
    avatar,
    version,
    queue: { position: ahead + 1, estimatedStartAt: startInMs === null ? null : now + startInMs },
  };
}
