/** The avatar: one record, one status, one next step. `moves.ts` has what changes it. */

import type { Callback } from './callbacks/callback.js';

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
  | 'content-refused'
  | 'arrears'
  | 'account-problem'
  | 'never-sent'
  | 'not-started-in-time'
  | 'outcome-unknown'
  | 'not-made'
  | 'task-failed'
  | 'parallel-limit'
  | 'canceled-by-modellix'
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
  /** By the price, and as long as it is known to be. */
  readonly settled: Cost | null;
  /** What Modellix says that it billed, in the same units, which counts instead; `null` where it did not say. */
  readonly billed: number | null;
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
  /** When a push of Modellix had it polled; `null` where none did since the last poll that found it unfinished. */
  readonly pushedAt: number | null;
  /** Since when Modellix says that there is no such task; `null` where it did not, or took it back. */
  readonly missingSince: number | null;
  /** Failures of the present step in a row; feeds the backoff. */
  readonly failures: number;
  readonly createdAt: number;
  /** When it has to be submitted by; `null`: whenever it is its turn. */
  readonly startBy: number | null;
  readonly submittedAt: number | null;
  readonly completedAt: number | null;
  /** When the record is forgotten; `null` until it is final. */
  readonly expiresAt: number | null;
}

const FINAL: ReadonlySet<Status> = new Set(['succeeded', 'failed', 'timed_out', 'canceled', 'unconfirmed']);

/**
 * Whether nothing more happens to the avatar by itself. Two can still be left: `unconfirmed` by an answer that turns up
 * (see {@link awaitsAnswer}), and both it and `timed_out` by what an operator finds out.
 */
export function isFinal(status: Status): boolean {
  return FINAL.has(status);
}

/**
 * Whether the answer to this intent is still to be applied: the submit is under way, or was given up as
 * `unconfirmed` when its lease lapsed, and the answer turned up after all.
 */
export function awaitsAnswer({ status, intent }: Avatar, of: string): boolean {
  return intent === of && (status === 'submitting' || status === 'unconfirmed');
}
