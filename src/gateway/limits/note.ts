import type { Avatar } from '../../domain/avatar.js';
import type { RateHeaders } from '../../domain/budget.js';
import type { ApiKey } from '../../modellix/api-key.js';
import type { QueryOutcome, SubmitOutcome } from '../../modellix/outcome.js';
import type { CallSignal } from './limits.js';
import type { Ports } from '../ports.js';

/**
 * Has every replica know what a call came to, as far as the limits are concerned. What an operator should hear of is
 * logged by the replica that met it, once. A store that is away leaves it unknown to the others.
 */
export async function note(
  { limits, log }: Pick<Ports, 'limits' | 'log'>,
  { id: key }: ApiKey,
  { createdAt }: Avatar,
  outcome: SubmitOutcome | QueryOutcome,
  signal: CallSignal,
  headers: RateHeaders,
): Promise<void> {
  const upstreamStatus = 'status' in outcome ? outcome.status : null;
  try {
    const queuedSince = outcome.kind === 'accepted' ? createdAt : null;
    const { restMs, opened } = await limits.report(key, signal, headers, queuedSince);
    if (restMs !== null)
      log.error({ key, upstreamStatus, restMs }, 'Modellix does not accept a key; it rests');
    const reason = 'reason' in outcome ? outcome.reason : null;
    if (opened)
      log.warn({ upstreamStatus, reason }, 'Modellix fails; nothing is sent until a probe of it succeeds');
  } catch (error) {
    log.warn({ err: error }, 'what a call said of the limits could not be noted');
  }
}
