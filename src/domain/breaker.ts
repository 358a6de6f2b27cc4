/**
 * The circuit breaker before all calls to Modellix. Closed: calls pass. Open, after several failures in a row, or one
 * submit that no connection came about for: none passes until a pause is over, and then a single free read, the probe,
 * decides.
 */

export type Breaker =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly opened: number; readonly probeAt: number };

/** Failures in a row that open it. */
const THRESHOLD = 5;
const PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;
const CLOSED: Breaker = { state: 'closed', failures: 0 };

export function closedBreaker(): Breaker {
  return CLOSED;
}

export function mayCall(breaker: Breaker): boolean {
  return breaker.state === 'closed';
}

/** Milliseconds until a probe may be made; `null` while calls may be. */
export function nextProbeInMs(breaker: Breaker, now: number): number | null {
  return breaker.state === 'open' ? Math.max(0, breaker.probeAt - now) : null;
}

/** Takes the probe for `leaseMs`; `null` where it is not due, or another has it. */
export function beginProbe(breaker: Breaker, now: number, leaseMs: number): Breaker | null {
  if (breaker.state === 'closed' || breaker.probeAt > now) return null;
  return { ...breaker, probeAt: now + leaseMs };
}

/** `unreachable`: there was no connection for a submit. The next submit would be written down in vain as well. */
export type CallResult = 'ok' | 'failed' | 'unreachable';

/** After a call that was let pass. One that began before it opened, and ends after, changes nothing. */
export function afterCall(breaker: Breaker, result: CallResult, now: number, random: number): Breaker {
  if (breaker.state === 'open') return breaker;
  if (result === 'ok') return breaker.failures === 0 ? breaker : CLOSED;
  const failures = result === 'unreachable' ? THRESHOLD : breaker.failures + 1;
  return failures < THRESHOLD ? { state: 'closed', failures } : open(0, now, random);
}

export function afterProbe(breaker: Breaker, ok: boolean, now: number, random: number): Breaker {
  if (breaker.state === 'closed') return breaker;
  return ok ? CLOSED : open(breaker.opened, now, random);
}

/** @param times how often it was opened before without a good probe in between */
function open(times: number, now: number, random: number): Breaker {
  const pauseMs = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** times) * (0.75 + random / 4);
  return { state: 'open', opened: times + 1, probeAt: Math.round(now + pauseMs) };
}
