import type { Avatar, Problem } from './schema.js';

/** Of the types of the gateway's problems. */
export const PROBLEM_PREFIX = 'urn:avatar-gateway:problem:';

interface Answered {
  readonly status: number;
  readonly problem: Problem | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly idempotencyKey: string | null;
}

/** What the gateway, or a proxy before it, answered instead of what was asked for. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  /** The short name of the problem, as in docs/problems.md; `null` where the answer was no problem of the gateway. */
  readonly type: string | null;
  /** The answer as it is (RFC 9457). */
  readonly problem: Problem | null;
  /** For whoever runs the gateway: under this it is in the log. */
  readonly requestId: string | null;
  /** How long to wait, where the gateway said so. */
  readonly retryAfterMs: number | null;
  /** What the request was sent with: the same request may be sent again with it. */
  readonly idempotencyKey: string | null;

  constructor({ status, problem, requestId, retryAfterMs, idempotencyKey }: Answered) {
    super(problem === null ? `The answer was ${status}` : messageOf(problem));
    this.status = status;
    this.type = problem?.type.slice(PROBLEM_PREFIX.length) ?? null;
    this.problem = problem;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
    this.idempotencyKey = idempotencyKey;
  }
}

function messageOf({ title, detail, errors = [] }: Problem): string {
  const fields = errors.map((field) => `${field.pointer} ${field.detail}`).join('; ');
  return `${title}: ${detail}${fields === '' ? '' : ` (${fields})`}`;
}

/** There was no answer, or only a part of it. `cause` says why. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** What the request was sent with: the same request may be sent again with it. */
  readonly idempotencyKey: string | null;

  constructor(cause: unknown, idempotencyKey: string | null = null) {
    super(`No answer from the gateway: ${wordsOf(cause)}`, { cause });
    this.idempotencyKey = idempotencyKey;
  }
}

/** `fetch` says what happened in the cause of its error. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? wordsOf(error.cause) : error.message || error.name;
}

/** The time for a wait is up. The avatar goes on. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError';
  /** As it was seen last; `null` where it was not. */
  readonly avatar: Avatar | null;

  constructor(id: string, timeoutMs: number, avatar: Avatar | null, cause?: unknown) {
    const state = avatar === null ? 'was not seen' : `is ${avatar.status}`;
    super(`The avatar ${id} ${state} after ${timeoutMs} ms`, cause === undefined ? {} : { cause });
    this.avatar = avatar;
  }
}

/** Why a webhook cannot be believed. */
export type WebhookFault = 'bad-headers' | 'too-old' | 'too-new' | 'wrong-signature' | 'not-json';

/** The request is not, or not surely, from the gateway: answer it with 400. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  readonly reason: WebhookFault;

  constructor(reason: WebhookFault, message: string) {
    super(message);
    this.reason = reason;
  }
}
