/** What the outcome of a call says about the limits it was made under. */

import type { QueryOutcome, SubmitOutcome } from '../../modellix/outcome.js';
import type { CallSignal } from './limits.js';

/** The key is wrong, or the account behind it cannot pay or may not use the model. */
const REJECTED: ReadonlySet<number> = new Set([401, 402, 403]);

export function isRejection(status: number | null | undefined): boolean {
  return status != null && REJECTED.has(status);
}

/** @param heldByOthers unfinished tasks that the key has besides this one */
export function signalOfSubmit(outcome: SubmitOutcome, heldByOthers: number): CallSignal {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'ok' };
    case 'not-sent':
      return 'unreachable';
    case 'unknown':
      return outcome.status === null || outcome.status >= 500 ? 'failed' : { kind: 'ok' };
    case 'refused': {
      const { status, limit, retryAfterMs } = outcome;
      if (status === 429 && limit === 'tasks') return { kind: 'concurrency', retryAfterMs, heldByOthers };
      if (status === 429) return { kind: 'rate-limited', retryAfterMs };
      return isRejection(status) ? { kind: 'rejected', looks: status === 401 } : { kind: 'ok' };
    }
  }
}

export function signalOfQuery(outcome: QueryOutcome): CallSignal {
  if (outcome.kind === 'limited') return { kind: 'rate-limited', retryAfterMs: outcome.retryAfterMs };
  if (outcome.kind !== 'unavailable') return { kind: 'looked' };
  const { status } = outcome;
  if (isRejection(status)) return { kind: 'rejected', looks: true };
  return status === undefined || status >= 500 ? 'failed' : { kind: 'looked' };
}
