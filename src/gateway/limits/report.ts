import type { Avatar } from '../../domain/avatar.js';
import type { RateHeaders } from '../../domain/limits/budget.js';
import type { CallResult } from '../../domain/limits/limits.js';
import type { ApiKey } from '../../modellix/api-key.js';
import type { QueryOutcome, SubmitOutcome } from '../../modellix/outcome.js';
import type { Log } from '../log.js';
import type { Limits } from './limits.js';

/** The key is wrong, or the account behind it cannot pay or may not use the model. */
const REJECTED: ReadonlySet<number> = new Set([401, 402, 403]);

export function isRejection(status: number | null | undefined): boolean {
  return status != null && REJECTED.has(status);
}

/** @param heldBesides unfinished tasks that the key has besides this one */
export function resultOfSubmit(outcome: SubmitOutcome, heldBesides: number): CallResult {
  return { call: 'submit', said: saidOfSubmit(outcome, heldBesides) };
}

function saidOfSubmit(outcome: SubmitOutcome, heldBesides: number): CallResult['said'] {
  if (outcome.kind === 'not-sent') return 'unreachable';
  if (outcome.kind === 'unknown') return 'failed';
  if (outcome.kind === 'refused') {
    const { status, limit, retryAfterMs } = outcome;
    if (status === 429 && limit === 'tasks') return { kind: 'concurrency', retryAfterMs, heldBesides };
    if (status === 429) return { kind: 'rate-limited', retryAfterMs };
    if (isRejection(status)) return { kind: 'rejected', polls: status === 401 };
  }
  return { kind: 'ok', held: heldBesides };
}

export function resultOfQuery(outcome: QueryOutcome): CallResult {
  return { call: 'poll', said: saidOfQuery(outcome) };
}

function saidOfQuery(outcome: QueryOutcome): CallResult['said'] {
  if (outcome.kind === 'limited') return { kind: 'rate-limited', retryAfterMs: outcome.retryAfterMs };
  if (outcome.kind !== 'unavailable') return { kind: 'polled' };
  const { status, byModellix, unsent } = outcome;
  if (unsent) return 'unreachable';
  if (byModellix && isRejection(status)) return { kind: 'rejected', polls: true };
  return status === undefined || status >= 500 ? 'failed' : { kind: 'polled' };
}

const OPENED = {
  connection:
    'Modellix cannot be reached from here; this process calls it no more until a probe of its own succeeds',
  modellix: 'Modellix fails; nothing is sent until a probe of it succeeds',
  submits: 'submits fail one after the other; one at a time is tried, and later each time',
} as const;

/**
 * Has every replica know what a call came to, as far as the limits are concerned. What an operator should hear of is
 * logged by the replica that met it, once. A store that is away leaves it unknown to the others.
 */
export async function reportToLimits(
  { limits, log }: { readonly limits: Limits; readonly log: Log },
  { id: keyId }: ApiKey,
  avatar: Avatar,
  outcome: SubmitOutcome | QueryOutcome,
  result: CallResult,
  headers: RateHeaders,
): Promise<void> {
  const upstreamStatus = 'status' in outcome ? outcome.status : null;
  if (outcome.kind === 'accepted') limits.leftQueue(avatar);
  try {
    const { restMs, opened } = await limits.report({ keyId, ...result, headers }, avatar.id);
    if (restMs !== null)
      log.error({ key: keyId, upstreamStatus, restMs }, 'Modellix does not accept a key; it rests');
    const reason = 'reason' in outcome ? outcome.reason : null;
    if (opened !== null) log.warn({ upstreamStatus, reason }, OPENED[opened]);
  } catch (error) {
    log.warn({ err: error }, 'what a call said of the limits could not be noted');
  }
}
