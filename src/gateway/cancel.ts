import type { Avatar } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import { canceled } from '../domain/moves.js';
import { ProblemError } from '../problems.js';
import { changeFor, ending, write } from './move.js';
import type { Ports } from './ports.js';

/**
 * Ends an avatar that is still queued. Whether this or a submit came first is decided by the version that both write
 * over: it is canceled and never sent, or sent and not canceled. An avatar that is canceled already is returned as it is.
 * @throws {ProblemError} `not-found` or `not-cancelable`
 * @throws {StoreUnavailableError} when it is not known whether it is canceled: asking again is safe
 */
export function cancel(ports: Ports, scope: Scope, id: string): Promise<Avatar> {
  const { log, settings } = ports;
  return changeFor(ports, scope, id, 'not-cancelable', async ({ avatar, version, now }) => {
    const { status } = avatar;
    if (status === 'canceled') return avatar;
    if (status !== 'queued') {
      throw new ProblemError('not-cancelable', `The avatar is ${status}; only a queued one is canceled.`);
    }
    const move = ending(canceled(avatar, { now, retentionMs: settings.retentionMs }));
    if (!(await write(ports, version, move)).saved) return null;
    log.info({ avatarId: id }, 'an avatar was canceled');
    return move.avatar;
  });
}
