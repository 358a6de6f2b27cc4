import type { RateHeaders } from '../domain/limits/budget.js';
import { decimal, httpDate, retryAfterIn } from '../domain/retry-after.js';
import { type AnswerHeaders, header } from './text.js';

/** The longest pause that is believed: a reset time further away is taken for a mistake (fault 11). */
export const MAX_RETRY_AFTER_MS = 10 * 60 * 1000;

/** A Unix time above this is in milliseconds: as seconds it would be the year 5138. */
export const SECONDS_BELOW = 1e11;

/**
 * How long a 429 asks to wait, in milliseconds: `Retry-After` (RFC 9110, 10.2.3: seconds or an HTTP date), else, where
 * it is calls that were too many, `X-RateLimit-Reset`. Times are held against the answer's own `Date`, so that a clock
 * of ours that is off does no harm, else against `now`. `null` where neither header is usable.
 */
export function retryAfterMs(
  headers: AnswerHeaders,
  now: number,
  exceeded: 'calls' | 'tasks',
): number | null {
  const asked = clamp(retryAfterIn(header(headers, 'retry-after'), clockOf(headers, now)));
  return asked ?? (exceeded === 'calls' ? rateHeaders(headers, now).resetInMs : null);
}

/** What an answer says of the calls that are left: `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Unix seconds). */
export function rateHeaders(headers: AnswerHeaders, now: number): RateHeaders {
  return {
    limit: decimal(header(headers, 'x-ratelimit-limit')),
    remaining: decimal(header(headers, 'x-ratelimit-remaining')),
    resetInMs: clamp(fromReset(headers, now)),
  };
}

function clockOf(headers: AnswerHeaders, now: number): number {
  return httpDate(header(headers, 'date')) ?? now;
}

function fromReset(headers: AnswerHeaders, now: number): number | null {
  const at = decimal(header(headers, 'x-ratelimit-reset'));
  if (at === null) return null;
  return (at < SECONDS_BELOW ? at * 1000 : at) - clockOf(headers, now);
}

function clamp(ms: number | null): number | null {
  return ms === null ? null : Math.ceil(Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS));
}
