/**
 * The avatar: one record, one status, one next step.
 *
 * Every function here is a move: it takes the record as it is and returns the record as it will be, or
 * throws {@link IllegalMoveError} where the move is not allowed. Nothing here reads a clock; `now` is
 * milliseconds since the epoch, on the store's clock.
 */

import { awaited, type Callback } from './callback.js';

export type Mode = 'std' | 'pro';

export const STATUSES = [
  'queued',
  'submitting',
  'pending',
  'processing',
  'succeeded',
  'failed',
  'timed_out',
  'canceled',
  'unconfirmed',
] as const;

export type Status = (typeof STATUSES)[number];

/** What is to be done next with an avatar: bring it to Modellix, see it finished, keep its video, tell, forget. */
export type Step = 'submit' | 'poll' | 'keep' | 'deliver' | 'expire';

/** What is known of the still image. `null` where the gateway never saw the bytes. */
export interface ImageFacts {
  readonly source: 'inline' | 'url';
  readonly format: 'jpeg' | 'png' | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly bytes: number | null;
}

/** What is known of the speech. `null` where the gateway never saw the bytes. */
export interface AudioFacts {
  readonly source: 'inline' | 'url' | 'audio_id';
  readonly format: 'mp3' | 'wav' | 'm4a' | 'aac' | null;
  readonly durationSeconds: number | null;
  readonly bytes: number | null;
}

/** Where the result is, as Modellix described it. `expiresAt` is when Modellix drops it, if it said so. */
export interface Video {
  readonly url: string;
  readonly format: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly bytes: number | null;
  readonly expiresAt: number | null;
  /** How many bytes of it the gateway has itself; `null` where it has none. */
  readonly keptBytes: number | null;
}

/** The ways an avatar can end badly; each is a problem of the catalogue too. */
export type FailureType =
  | 'refused-by-modellix'
  | 'account-problem'
  | 'never-sent'
  | 'outcome-unknown'
  | 'not-made'
  | 'task-failed'
  | 'task-lost'
  | 'task-timeout';

/** Why an avatar did not succeed, in words for the caller. */
export interface Failure {
  readonly type: FailureType;
  readonly detail: string;
  /** The HTTP status that Modellix answered with, where it answered. */
  readonly upstreamStatus: number | null;
}

/** What a caller named its request, and what the request was, so that the same name cannot stand for another. */
export interface Idempotency {
  readonly key: string;
  readonly fingerprint: string;
}

/** How long a video is, and what it costs, in the units of `spend.ts`. */
export interface Cost {
  readonly durationMs: number;
  readonly units: number;
}

/** What an avatar was expected to cost at most when it was accepted, and what it did cost once that is known. */
export interface Spend {
  readonly reserved: Cost;
  readonly settled: Cost | null;
}

export interface Avatar {
  readonly id: string;
  readonly caller: string;
  readonly idempotency: Idempotency | null;
  readonly status: Status;
  readonly step: Step;
  readonly mode: Mode;
  readonly prompt: string | null;
  readonly externalId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly image: ImageFacts;
  readonly audio: AudioFacts;
  readonly costEstimateUsd: number | null;
  /** `null` where it was accepted by a release that counted nothing. */
  readonly spend: Spend | null;
  /** W3C Trace Context of the request that made it, passed on to Modellix. */
  readonly traceparent: string | null;
  /** Which key it was last submitted with: only that one can read its task. A digest, not the key. */
  readonly keyId: string | null;
  readonly taskId: string | null;
  readonly video: Video | null;
  readonly failure: Failure | null;
  readonly callback: Callback | null;
  /** How many submits were begun. */
  readonly attempt: number;
  /** A name of its own for the submit that was begun last: an answer belongs to one submit, of one worker. */
  readonly intent: string | null;
  /** How often the task was polled. */
  readonly polls: number;
  /** When a poll last found it unfinished. */
  readonly polledAt: number | null;
  /** Since when Modellix says that there is no such task; `null` where it did not, or took it back. */
  readonly missingSince: number | null;
  /** Failures of the present step in a row; feeds the backoff. */
  readonly failures: number;
  readonly createdAt: number;
  readonly submittedAt: number | null;
  readonly completedAt: number | null;
  /** When the record is forgotten; `null` until it is final. */
  readonly expiresAt: number | null;
}

/** A move that the present status does not allow, for example out of a final status. */
export class IllegalMoveError extends Error {
  override readonly name = 'IllegalMoveError';
  constructor(avatar: Avatar, move: string) {
    super(`${avatar.id} is ${avatar.status}: ${move} is not allowed`);
  }
}

const FINAL: ReadonlySet<Status> = new Set(['succeeded', 'failed', 'timed_out', 'canceled', 'unconfirmed']);

/**
 * Whether nothing more happens to the avatar by itself. Two can still be left: `unconfirmed` by an answer that turns up
 * (see {@link awaitsAnswer}), and both it and `timed_out` by what an operator finds out.
 */
export function isFinal(status: Status): boolean {
  return FINAL.has(status);
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
> & { readonly callbackUrl: string | null };

/** A new avatar, queued for its submit. */
export function newAvatar({ callbackUrl, ...request }: Request, now: number): Avatar {
  return {
    ...request,
    callback: callbackUrl === null ? null : awaited({ url: callbackUrl, deliveries: [] }, null),
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
    missingSince: null,
    failures: 0,
    createdAt: now,
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

/**
 * Whether the answer to this intent is still to be applied: the submit is under way, or was given up as
 * `unconfirmed` when its lease lapsed, and the answer turned up after all.
 */
export function awaitsAnswer({ status, intent }: Avatar, of: string): boolean {
  return intent === of && (status === 'submitting' || status === 'unconfirmed');
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
  return { ...avatar, status, polls: avatar.polls + 1, polledAt: now, missingSince: null, failures: 0 };
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
 * @param cost what it came to; `null`: what was reserved
 */
export function succeeded(
  avatar: Avatar,
  video: Video,
  ending: Ending,
  keepVideo: boolean,
  cost: Cost | null = null,
): Avatar {
  from(avatar, 'succeeded', 'pending', 'processing');
  const spend = avatar.spend && { ...avatar.spend, settled: cost ?? avatar.spend.reserved };
  return end(avatar, 'succeeded', ending, keepVideo ? { video, spend, step: 'keep' } : { video, spend });
}

/** The caller no longer wants it, and nothing was sent for it. */
export function canceled(avatar: Avatar, ending: Ending): Avatar {
  from(avatar, 'canceled', 'queued');
  return end(avatar, 'canceled', ending, {});
}

/** Never sent, refused at the submit, or failed as a task. */
export function failed(avatar: Avatar, failure: Failure, ending: Ending): Avatar {
  from(avatar, 'failed', 'queued', 'submitting', 'unconfirmed', 'timed_out', 'pending', 'processing');
  return end(avatar, 'failed', ending, { failure });
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
