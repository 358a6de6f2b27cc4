import type { Avatar } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import { canceled } from '../domain/moves.js';
import { ProblemError } from '../problems.js';
import { ending, write } from './move.js';
import type { Ports } from './ports.js';

/** How often the write is tried over a record that a worker is writing. */
const ATTEMPTS = 3;

/**
 * Ends an avatar that is still queued. Whether this or a submit came first is decided by the version that both write
 * over: it is canceled and never sent, or sent and not canceled. An avatar that is canceled already is returned as it is.
 * @throws {ProblemError} `not-found` or `not-cancelable`
 * @throws {StoreUnavailableError} when it is not known whether it is canceled: asking again is safe
 */
export async function cancel(ports: Ports, scope: Scope, id: string): Promise<Avatar> {
  const { store, log, settings } = ports;
  const { retentionMs } = settings;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stored = await store.find(scope, id);
    if (stored === null) throw new ProblemError('not-found', 'No avatar of yours has this id.');
    const { avatar, version, now } = stored;
    if (avatar.status === 'canceled') return avatar;
    if (avatar.status !== 'queued') {
      throw new ProblemError(
        'not-cancelable',
        `The avatar is ${avatar.status}; only a queued one is canceled.`,
      );
    }
    const move = ending(canceled(avatar, { now, retentionMs }), retentionMs);
    if ((await write(ports, version, move)).saved) {
      log.info({ avatarId: id }, 'an avatar was canceled');
      return move.avatar;
    }
  }
  throw new ProblemError('not-cancelable', 'The avatar is being changed by something else. Read it again.');
}
