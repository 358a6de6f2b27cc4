/** Who is told of the end of an avatar, how that went, and when it is tried again. */

/** One try to tell a receiver. */
export interface Delivery {
  /** 1 for the first that there was, whatever is remembered. */
  readonly attempt: number;
  readonly at: number;
  readonly latencyMs: number;
  /** The HTTP status that the receiver answered with, where it answered. */
  readonly status: number | null;
  /** Why it does not count; `null` where it does. */
  readonly error: string | null;
}

/** Who is told of the end, and how that went. */
export interface Callback {
  readonly url: string;
  /** Where its receiver is told as Modellix would tell it: what URLs in that begin with. `null`: it is told of an avatar. */
  readonly taskBase: string | null;
  /** `waiting` before the end, and while tries go on. */
  readonly state: 'waiting' | 'delivered' | 'given_up';
  /** From when on it is tried: the end, or when it was asked for again. */
  readonly since: number | null;
  /** Before when it is not tried again; `null` where it was not tried since. */
  readonly nextAt: number | null;
  /** The last tries, the latest one last. */
  readonly deliveries: readonly Delivery[];
}

/** What came of a try: a status where the receiver answered, else why it did not, in words for the caller. */
export interface DeliveryResult {
  readonly status: number | null;
  readonly error: string | null;
  /** How long the receiver asks to be left alone. */
  readonly retryAfterMs: number | null;
  readonly latencyMs: number;
}

/** What is made of an answer. `alive`: whether the receiver is there, whatever it thinks of this message. */
export interface Verdict {
  readonly kind: 'delivered' | 'failed' | 'unwanted';
  readonly alive: boolean;
  readonly error: string | null;
}

/** How many tries are remembered. */
const REMEMBERED = 20;
/** So long it is tried, from the first time on. */
const TRIED_FOR_MS = 24 * 3_600_000;
/** The longest `Retry-After` that is believed. */
const MAX_RETRY_AFTER_MS = 6 * 3_600_000;
/** The pause after each failure, in seconds; after those that follow, the last. */
const PAUSES_S = [5, 30, 120, 300, 900, 1800, 3600, 7200, 10_800, 14_400] as const;
/** A pause is longer or shorter by up to this share, so that what failed together is not tried together. */
const JITTER = 0.1;

/** The callback before its first try. @param since `null` before the end */
export function awaited(
  callback: Pick<Callback, 'url' | 'taskBase' | 'deliveries'>,
  since: number | null,
): Callback {
  return { ...callback, state: 'waiting', since, nextAt: null };
}

/**
 * Any 2xx is delivered. 410 says that nothing is wanted there any more (Standard Webhooks, "Operational considerations").
 * A redirect is not followed: it would lead the avatar to where its caller did not say.
 */
export function verdictOf({ status, error }: DeliveryResult): Verdict {
  if (status === null) return { kind: 'failed', alive: false, error };
  if (status >= 200 && status < 300) return { kind: 'delivered', alive: true, error: null };
  if (status === 410) return { kind: 'unwanted', alive: true, error: 'answered 410: it wants no more' };
  const redirects = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  return {
    kind: 'failed',
    alive: status < 500 && status !== 429,
    error: `answered ${status}${redirects}`,
  };
}

/**
 * When it is tried again, in ms since the epoch; `null` where it was tried for long enough.
 * @param failures in a row, 1 or more
 * @param random in [0, 1)
 */
export function nextTryAt(
  { since }: Callback,
  { status, retryAfterMs }: DeliveryResult,
  failures: number,
  { now, expiresAt, random }: { now: number; expiresAt: number | null; random: number },
): number | null {
  const pauseS = PAUSES_S[Math.min(failures, PAUSES_S.length) - 1] ?? 0;
  const pauseMs = pauseS * 1000 * (1 - JITTER + 2 * JITTER * random);
  const asked = status === 429 || status === 503 ? Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) : 0;
  const at = Math.round(now + Math.max(pauseMs, asked));
  return isTriedEnough(since, at) || (expiresAt !== null && at >= expiresAt) ? null : at;
}

/** Whether no more is tried at `at`. */
export function isTriedEnough(since: number | null, at: number): boolean {
  return at > (since ?? at) + TRIED_FOR_MS;
}

/** The callback with one more try in its log. @param at when it began */
export function logged(
  callback: Callback,
  { status, latencyMs }: DeliveryResult,
  error: string | null,
  at: number,
): Callback {
  const attempt = (callback.deliveries.at(-1)?.attempt ?? 0) + 1;
  const delivery: Delivery = { attempt, at, latencyMs, status, error };
  return { ...callback, deliveries: [...callback.deliveries, delivery].slice(-REMEMBERED) };
}
