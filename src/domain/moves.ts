/**
 * The moves of an avatar from one status to the next.
 *
 * Every function here is a move: it takes the record as it is and returns the record as it will be, or
 * throws {@link IllegalMoveError} where the move is not allowed. Nothing here reads a clock; `now` is
 * milliseconds since the epoch, on the store's clock.
 */

import type { Avatar, Failure, Spend, Status, Video } from './avatar.js';
import { awaited } from './callbacks/callback.js';

/** A move that the present status does not allow, for example out of a final status. */
export class IllegalMoveError extends Error {
  override readonly name = 'IllegalMoveError';
  constructor(avatar: Avatar, move: string) {
    super(`${avatar.id} is ${avatar.status}: ${move} is not allowed`);
  }
}

function from(avatar: Avatar, move: string, ...allowed: readonly Status[]): void {
  if (!allowed.includes(avatar.status)) throw new IllegalMoveError(avatar, move);
}

type Request = Pick<
  Avatar,
  | 'id'
  | 'caller'
  | 'idempotency'
  | 'mode'
  | 'prompt'
  | 'externalId'
  | 'metadata'
  | 'image'
  | 'audio'
  | 'costEstimateUsd'
  | 'spend'
  | 'traceparent'
  | 'startBy'
> & {
  readonly callbackUrl: string | null;
  /** Its {@link Avatar.callback}'s `taskBase`. */
  readonly callbackTaskBase?: string | null;
};

/** A new avatar, queued for its submit. Each member is named: a spread would cost more than all else that is done for it. */
export function newAvatar(request: Request, now: number): Avatar {
  const { id, caller, idempotency, mode, prompt, externalId, metadata, image, audio } = request;
  const {
    costEstimateUsd,
    spend,
    traceparent,
    startBy,
    callbackUrl,
    callbackTaskBase: taskBase = null,
  } = request;
  const callback =
    callbackUrl === null ? null : awaited({ url: callbackUrl, taskBase, deliveries: [] }, null);
  return {
    id,
    caller,
    idempotency,
    mode,
    prompt,
    externalId,
    metadata,
    image,
    audio,
    costEstimateUsd,
    spend,
    traceparent,
    callback,
    status: 'queued',
    step: 'submit',
    keyId: null,
    taskId: null,
    video: null,
    failure: null,
    attempt: 0,
    intent: null,
    polls: 0,
    polledAt: null,
    pushedAt: null,
    missingSince: null,
    failures: 0,
    createdAt: now,
    startBy,
    submittedAt: null,
    completedAt: null,
    expiresAt: null,
  };
}

/**
 * The intent: written before the first byte of the POST leaves with this key.
 * @param intent a name that no other intent has, whoever begins it
 */
export function beginSubmit(avatar: Avatar, keyId: string, intent: string): Avatar {
  from(avatar, 'beginSubmit', 'queued');
  return { ...avatar, status: 'submitting', keyId, attempt: avatar.attempt + 1, intent };
}

/** Modellix took the task; or it was found there. */
export function accepted(avatar: Avatar, taskId: string, now: number): Avatar {
  from(avatar, 'accepted', 'submitting', 'unconfirmed', 'timed_out');
  return {
    ...avatar,
    status: 'pending',
    step: 'poll',
    taskId,
    failure: null,
    callback: avatar.callback && awaited(avatar.callback, null),
    failures: 0,
    polls: 0,
    polledAt: null,
    pushedAt: null,
    missingSince: null,
    submittedAt: now,
    completedAt: null,
    expiresAt: null,
  };
}

/** No task was made and the submit may be tried again. */
export function requeued(avatar: Avatar): Avatar {
  from(avatar, 'requeued', 'submitting');
  return { ...avatar, status: 'queued', step: 'submit', failures: avatar.failures + 1 };
}

/** The task is not finished. */
export function polled(avatar: Avatar, status: 'pending' | 'processing', now: number): Avatar {
  from(avatar, 'polled', 'pending', 'processing');
  return {
    ...avatar,
    status,
    polls: avatar.polls + 1,
    polledAt: now,
    pushedAt: null,
    missingSince: null,
    failures: 0,
  };
}

/** Modellix says that something happened to the task: it is to be polled. */
export function pushed(avatar: Avatar, now: number): Avatar {
  from(avatar, 'pushed', 'pending', 'processing');
  return { ...avatar, pushedAt: now };
}

/** The poll came to nothing; it is tried again. */
export function pollFailed(avatar: Avatar): Avatar {
  from(avatar, 'pollFailed', 'pending', 'processing');
  return { ...avatar, failures: avatar.failures + 1 };
}

/** Modellix says that there is no such task. */
export function missed(avatar: Avatar, now: number): Avatar {
  return { ...pollFailed(avatar), missingSince: avatar.missingSince ?? now };
}

/** The end of an avatar: what it became, when, and how long its record is kept from then on. */
export interface Ending {
  readonly now: number;
  readonly retentionMs: number;
}

function end(avatar: Avatar, status: Status, { now, retentionMs }: Ending, change: Partial<Avatar>): Avatar {
  const { callback } = avatar;
  return {
    ...avatar,
    step: callback === null ? 'expire' : 'deliver',
    callback: callback && awaited(callback, now),
    ...change,
    status,
    failures: 0,
    completedAt: now,
    expiresAt: now + retentionMs,
  };
}

/**
 * @param keepVideo whether the gateway is to have the video itself before anyone is told
 * @param spend what it came to
 */
export function succeeded(
  avatar: Avatar,
  video: Video,
  ending: Ending,
  keepVideo: boolean,
  spend: Spend | null = avatar.spend && { ...avatar.spend, settled: avatar.spend.reserved },
): Avatar {
  from(avatar, 'succeeded', 'pending', 'processing');
  return end(avatar, 'succeeded', ending, keepVideo ? { video, spend, step: 'keep' } : { video, spend });
}

/**
 * The caller no longer wants it, and nothing was sent for it.
 * @param failure why, where it is not that it was told so
 */
export function canceled(avatar: Avatar, ending: Ending, failure: Failure | null = null): Avatar {
  from(avatar, 'canceled', 'queued');
  return end(avatar, 'canceled', ending, { failure });
}

/** Never sent, refused at the submit, or failed as a task. @param spend what it came to, where Modellix billed it all the same */
export function failed(avatar: Avatar, failure: Failure, ending: Ending, spend = avatar.spend): Avatar {
  from(avatar, 'failed', 'queued', 'submitting', 'unconfirmed', 'timed_out', 'pending', 'processing');
  return end(avatar, 'failed', ending, { failure, spend });
}

/** Modellix never finished; the task id is kept. */
export function timedOut(avatar: Avatar, failure: Failure, ending: Ending): Avatar {
  from(avatar, 'timedOut', 'pending', 'processing');
  return end(avatar, 'timed_out', ending, { failure });
}

/** The outcome of the submit cannot be known; it is never sent again. */
export function unconfirmed(avatar: Avatar, failure: Failure, ending: Ending): Avatar {
  from(avatar, 'unconfirmed', 'submitting');
  return end(avatar, 'unconfirmed', ending, { failure });
}
