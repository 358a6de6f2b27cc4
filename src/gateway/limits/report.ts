import type { Avatar } from '../../domain/avatar.js';
import type { RateHeaders } from '../../domain/limits/budget.js';
import type { CallResult } from '../../domain/limits/limits.js';
import type { ApiKey } from '../../modellix/api-key.js';
import type { QueryOutcome, Refused, SubmitOutcome } from '../../modellix/outcome.js';
import type { Log } from '../log.js';
import type { Limits } from './limits.js';

/** The key is wrong, or the account behind it cannot pay or may not use the model. */
const REJECTED: ReadonlySet<number> = new Set([401, 402, 403]);

function isRejection(status: number | null | undefined): boolean {
  return status != null && REJECTED.has(status);
}

/** Whether a submit was refused because of its key, or of the account behind it. */
export function isRejected({ status, reason }: Refused): boolean {
  return reason === 'arrears' || (reason === null && isRejection(status));
}

/** @param heldBesides unfinished tasks that the key has besides this one */
export function resultOfSubmit(outcome: SubmitOutcome, path: string, heldBesides: number): CallResult {
  return { call: 'submit', path, said: saidOfSubmit(outcome, heldBesides) };
}

function saidOfSubmit(outcome: SubmitOutcome, heldBesides: number): CallResult['said'] {
  if (outcome.kind === 'not-sent') return 'unreachable';
  if (outcome.kind === 'unknown') return 'failed';
  if (outcome.kind === 'refused') {
    const { status, limit, retryAfterMs, reason } = outcome;
    if (limit === 'tasks') return { kind: 'concurrency', retryAfterMs, heldBesides };
    if (limit === 'calls') return { kind: 'rate-limited', retryAfterMs };
    if (reason === 'no-route') return { kind: 'no-route' };
    if (isRejected(outcome)) return { kind: 'rejected', polls: status === 401 };
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

const PATH = {
  moved: ['warn', 'Modellix has no route for the path of submits; they go by another form of it'],
  held: [
    'error',
    'Modellix has no route for any form of MODELLIX_SUBMIT_PATH; submits are held, and one is tried now and then: set it to the path that the reference of Modellix names',
  ],
  found: ['info', 'Modellix has a route for submits again; they go on'],
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
    const { restMs, opened, path } = await limits.report({ keyId, ...result, headers }, avatar.id);
    if (restMs !== null)
      log.error({ key: keyId, upstreamStatus, restMs }, 'Modellix does not accept a key; it rests');
    const reason = 'reason' in outcome ? outcome.reason : null;
    if (opened !== null) log.warn({ upstreamStatus, reason }, OPENED[opened]);
    if (path !== null) {
      const [level, message] = PATH[path];
      log[level]({ path: limits.submitPath.path }, message);
    }
  } catch (error) {
    log.warn({ err: error }, 'what a call said of the limits could not be noted');
  }
}
