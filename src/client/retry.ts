import { ConnectionError, GatewayError } from './errors.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** When told to stay away for longer than this, a caller had better know. */
const LONGEST_TOLD_MS = 60_000;
/** A timer for longer would be due at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Too slow, too often, or something that passes. A 409 of the gateway does not pass by itself. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** Said before anything was done. */
const UNTOUCHED = new Set([408, 429]);

/** Whether the same request may meet with something else later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof GatewayError && PASSING.has(error.status);
}

/** As {@link isPassing}, for a request that makes an avatar. The end of one that was made is the same each time. */
export function isPassingForCreate(error: unknown): boolean {
  const isItsEnd = error instanceof GatewayError && error.avatarId !== null;
  return !isItsEnd && isPassing(error);
}

/** As {@link isPassing}, for a request that must not be sent again once it may have had effect. */
export function isUntouched(error: unknown): boolean {
  return error instanceof GatewayError && UNTOUCHED.has(error.status);
}

/**
 * How long to wait before the next attempt: at least what was told, else twice as long each time; a part of it is
 * random, so that those who failed together do not come back together.
 * @param failures how many there were before this one
 */
export function pauseMs(failures: number, error: unknown, random: () => number = Math.random): number {
  const backoffMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
  const jitteredMs = backoffMs * (0.5 + random() / 2);
  const told = toldMs(error);
  return told === null ? jitteredMs : told + jitteredMs / 4;
}

function toldMs(error: unknown): number | null {
  return error instanceof GatewayError ? error.retryAfterMs : null;
}

/** Resolves after so many ms, or rejects with the reason of the signal. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}

interface Retries {
  readonly maxRetries: number;
  readonly signal: AbortSignal | undefined;
  readonly isSafe?: (error: unknown) => boolean;
}

/** @param attempt is told how many failed before it */
export async function retrying<T>(
  { maxRetries, signal, isSafe = isPassing }: Retries,
  attempt: (failures: number) => Promise<T>,
): Promise<T> {
  let isUnsent = true;
  for (let failures = 0; ; failures++) {
    try {
      return await attempt(failures);
    } catch (error) {
      if (error instanceof ConnectionError) error.isUnsent &&= isUnsent;
      isUnsent = error instanceof ConnectionError && error.isUnsent;
      if (failures >= maxRetries || !isSafe(error) || (toldMs(error) ?? 0) > LONGEST_TOLD_MS) throw error;
      await pause(pauseMs(failures, error), signal);
    }
  }
}
