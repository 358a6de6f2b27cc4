/** The moves of an avatar that has succeeded and whose video is being kept. */

import type { Avatar, Video } from './avatar.js';
import { awaited } from './callbacks/callback.js';
import { IllegalMoveError } from './moves.js';

/** So long it is tried, from the end on. */
const TRIED_FOR_MS = 3_600_000;

/** The video is here, or never will be: its `keptBytes` say so. Now somebody may be told. */
export function kept(avatar: Avatar, video: Video, now: number): Avatar {
  const { callback } = during(avatar, 'kept');
  return {
    ...avatar,
    video,
    step: callback === null ? 'expire' : 'deliver',
    callback: callback && awaited(callback, now),
    failures: 0,
  };
}

/** It could not be fetched; it is tried again. */
export function keepFailed(avatar: Avatar): Avatar {
  return { ...during(avatar, 'keepFailed'), failures: avatar.failures + 1 };
}

/** Whether whoever is to be told has waited for long enough at `at`. */
export function isKeepingOver({ completedAt }: Avatar, at: number): boolean {
  return at > (completedAt ?? at) + TRIED_FOR_MS;
}

function during(avatar: Avatar, move: string): Avatar {
  if (avatar.step !== 'keep') throw new IllegalMoveError(avatar, move);
  return avatar;
}
