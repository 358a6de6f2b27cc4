import type { Avatar, Problem } from './schema.js';

/** Of the types of the gateway's problems. */
export const PROBLEM_PREFIX = 'urn:avatar-gateway:problem:';

interface Answered {
  readonly status: number;
  readonly problem: Problem | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly idempotencyKey: string | null;
  /** What to say where the answer was no problem. */
  readonly words?: string;
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
  /** The avatar that the problem is about: one that was made all the same, where the request was to make it. */
  readonly avatarId: string | null;

  constructor({ status, problem, requestId, retryAfterMs, idempotencyKey, words }: Answered) {
    super(problem === null ? (words ?? `The answer was ${status}`) : messageOf(problem));
    this.status = status;
    this.type = problem?.type.slice(PROBLEM_PREFIX.length) ?? null;
    this.problem = problem;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
    this.idempotencyKey = idempotencyKey;
    // Before it may stand a path, or the whole address of the gateway.
    this.avatarId = /\/avatars\/(av_[\w-]+)$/.exec(problem?.instance ?? '')?.[1] ?? null;
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
  /**
   * Nothing was sent, by none of the attempts: there is no such host, nobody listens, or its certificate is not valid. Browsers do
   * not tell: there it is `false`.
   */
  isUnsent: boolean;

  constructor(cause: unknown, idempotencyKey: string | null = null) {
    const reasons = reasonsOf(cause);
    super(`No answer from the gateway: ${reasons.map(wordsOf).join(', ')}`, { cause });
    this.idempotencyKey = idempotencyKey;
    this.isUnsent = reasons.every(isOfConnecting);
  }
}

/** `fetch` says what happened in the cause of its error; where each address of a host was tried, there are several. */
function reasonsOf(error: unknown): readonly unknown[] {
  if (!(error instanceof Error)) return [error];
  if (error.cause instanceof Error) return reasonsOf(error.cause);
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Codes of Node.js, of undici, and of OpenSSL for a handshake that fails. */
const OF_HANDSHAKES = /^UND_ERR_CONNECT_TIMEOUT$|CERT|LEAF_SIGNATURE|^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH)/;

function isOfConnecting(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  // A port that fetch goes to for nobody (Fetch, "bad port") has no code.
  return (
    error.message === 'bad port' ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    OF_HANDSHAKES.test(String(code))
  );
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
