/**
 * What a call to Modellix came to. The rules are those of the upstream's contract: nothing de-duplicates a
 * submit, so a refusal must be definite and everything else, once a byte was sent, is unknown.
 */

import type { RateHeaders } from '../domain/limits/budget.js';
import type { Reason } from './reason.js';

/** What a call came to, and what its answer said of the limits. */
export interface Reply<T> {
  readonly outcome: T;
  readonly limits: RateHeaders;
}

/** Of an answer that says nothing of the limits, or of none. */
export const NO_LIMITS: RateHeaders = { limit: null, remaining: null, resetInMs: null };

/** Modellix said no: no task was made. */
export interface Refused {
  readonly kind: 'refused';
  readonly status: number;
  readonly message: string;
  /** What the words are about, where that is known; `no-route`: Modellix has none at the path, or not the model. */
  readonly reason: Reason | 'no-route' | null;
  /** What was exceeded, where it was that; and how long Modellix asked to wait, `null` if it did not say. */
  readonly limit: 'calls' | 'tasks' | null;
  readonly retryAfterMs: number | null;
}

export type SubmitOutcome =
  /** A task was made. */
  | { readonly kind: 'accepted'; readonly taskId: string }
  | Refused
  /** The request provably never left: no connection came about. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** Bytes left and no usable answer came back: a task may or may not exist. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly status: number | null };

/** A file of a finished task. */
export interface Resource {
  readonly url: string;
  readonly format: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly bytes: number | null;
  /** How long the video is, where it was said. */
  readonly durationSeconds: number | null;
}

/** What a finished task was billed, as far as it was said. */
export interface Bill {
  /** In the units of `domain/spend.ts`; `null` where it was not said. */
  readonly billed: number | null;
  /** What was said instead of an amount. */
  readonly unusableBill?: string;
}

export type QueryOutcome =
  /** `unfamiliarStatus` is Modellix's own word where it is one never seen before; it then counts as `processing`. */
  | {
      readonly kind: 'unfinished';
      readonly status: 'pending' | 'processing';
      readonly unfamiliarStatus?: string;
    }
  /** `resource` is `null` when Modellix called it a success and named no file. `expiresAt` in ms since the epoch. */
  | ({
      readonly kind: 'success';
      readonly resource: Resource | null;
      readonly expiresAt: number | null;
    } & Bill)
  /** `reason`: what the words are about, where that is known. */
  | ({
      readonly kind: 'failure';
      readonly message: string;
      readonly reason: Reason | 'canceled' | null;
    } & Bill)
  /** 404 in Modellix's own envelope: it does not know the task (yet, or any more). */
  | { readonly kind: 'missing'; readonly message: string }
  /** 429. */
  | { readonly kind: 'limited'; readonly message: string; readonly retryAfterMs: number | null }
  /**
   * Any other answer, or none; a read may be repeated. `status` where there was an answer, `byModellix` where that was in
   * Modellix's own envelope and not of something in between; `unsent` where no connection came about.
   */
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      readonly status?: number;
      readonly byModellix?: true;
      readonly unsent?: true;
    };

/** What one free read found: Modellix answers, it fails, or there is no way to it from here. */
export type ProbeOutcome = 'ok' | 'failed' | 'unreachable';
