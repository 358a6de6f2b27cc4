/**
 * A circuit breaker. Closed: calls pass. After several failures in a row it is open: none passes until a pause is over,
 * then one is tried, and each one that fails makes the next pause twice as long. Times are in ms.
 *
 * There are three. One of each process, for its own way out: it opens at the first connection that does not come about,
 * and holds back this process alone. Two that all share: one for Modellix, by the polls it fails to answer and tried by a
 * free read, the probe; one for submits, by those of which nobody knows what they came to, and tried by a submit.
 */

export interface Breaker {
  /** In a row, while it is closed. */
  readonly failures: number;
  /** How often it was tried in vain, the opening included; 0: it is closed. */
  readonly pauses: number;
  /** When one may be tried. */
  readonly tryAt: number;
  /** One is being tried, until `tryAt` at most. */
  readonly trying: boolean;
}

export interface BreakerRule {
  /** Failures in a row that open it. */
  readonly threshold: number;
  readonly pauseMs: number;
  readonly longestPauseMs: number;
  /** A try of which nothing is heard for so long is given up: whoever made it died. */
  readonly tryMs: number;
}

const PAUSES = { pauseMs: 2_000, longestPauseMs: 30_000, tryMs: 20_000 };
export const CONNECTION: BreakerRule = { ...PAUSES, threshold: 1 };
export const MODELLIX: BreakerRule = { ...PAUSES, threshold: 5 };
/** Each failure is an avatar that a person has to look after, so the pauses grow long. */
export const SUBMITS: BreakerRule = { ...PAUSES, threshold: 5, longestPauseMs: 900_000 };

export const CLOSED: Breaker = { failures: 0, pauses: 0, tryAt: 0, trying: false };

export function isOpen({ pauses }: Breaker): boolean {
  return pauses > 0;
}

/** Milliseconds until one may be tried; `null` while it is closed. */
export function tryInMs({ pauses, tryAt }: Breaker, rule: BreakerRule, now: number): number | null {
  if (pauses === 0) return null;
  // One further away than any pause is from a clock that was ahead.
  const isMeant = tryAt <= now + Math.max(rule.longestPauseMs, rule.tryMs);
  return isMeant ? Math.max(0, tryAt - now) : 0;
}

/** Takes the try; `null` where it is not due, or another has it. */
export function beginTry(breaker: Breaker, rule: BreakerRule, now: number): Breaker | null {
  return tryInMs(breaker, rule, now) === 0 ? { ...breaker, trying: true, tryAt: now + rule.tryMs } : null;
}

/** A try that takes its time is not given up, as long as whoever makes it says so. The same value where there is nothing to say yet. */
export function keepTry(breaker: Breaker, rule: BreakerRule, now: number): Breaker {
  const isLate = breaker.trying && breaker.tryAt - now < rule.tryMs / 2;
  return isLate ? { ...breaker, tryAt: now + rule.tryMs } : breaker;
}

/** A try that was not made after all: it may be made by another at once. */
export function dropTry(breaker: Breaker, now: number): Breaker {
  return breaker.trying ? { ...breaker, trying: false, tryAt: now } : breaker;
}

/** After a call that failed. One that began before it opened, and ends after, changes nothing. */
export function afterFailure(breaker: Breaker, rule: BreakerRule, now: number, random: number): Breaker {
  const failures = breaker.failures + 1;
  if (!isOpen(breaker) && failures < rule.threshold) return { ...breaker, failures };
  if (isOpen(breaker) && !breaker.trying) return breaker;
  const { pauses } = breaker;
  const pauseMs = Math.min(rule.longestPauseMs, rule.pauseMs * 2 ** pauses) * (0.75 + random / 4);
  return { failures: 0, pauses: pauses + 1, tryAt: Math.round(now + pauseMs), trying: false };
}

/** After a call that came to something. */
export function afterSuccess(breaker: Breaker): Breaker {
  return breaker.failures === 0 && !isOpen(breaker) ? breaker : CLOSED;
}
