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

export function seen(limits: Limits, { avatar, ahead, now }: Found): Seen {
  if (ahead === null) return { avatar, queue: null };
  const startInMs = limits.startInMs(ahead);
  return {
    avatar,
    queue: { position: ahead + 1, estimatedStartAt: startInMs === null ? null : now + startInMs },
  };
}
