import { isFinal } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import { ProblemError } from '../problems.js';
import { erase } from './move.js';
import type { Ports } from './ports.js';

/** How often it is tried over a record that a worker is writing. */
const ATTEMPTS = 3;

/**
 * Forgets a final avatar: its record, its idempotency key, and its video where that was kept. A worker that is busy with
 * it writes over another version than is there then, so nothing of it comes back.
 * @throws {ProblemError} `not-found` or `not-final`
 * @throws {StoreUnavailableError} when it is not known whether it is forgotten: asking again is safe
 */
export async function forget(ports: Ports, scope: Scope, id: string): Promise<void> {
  const { store, log } = ports;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stored = await store.find(scope, id);
    if (stored === null) throw new ProblemError('not-found', 'No avatar of yours has this id.');
    const { status } = stored.avatar;
    if (status === 'unconfirmed') {
      throw new ProblemError(
        'not-final',
        'The avatar is unconfirmed. Resolve it first: a task may be paid for.',
      );
    }
    if (!isFinal(status)) throw new ProblemError('not-final', `The avatar is ${status}.`);
    if (await erase(ports, stored.avatar, stored.version)) {
      log.info({ avatarId: id, status }, 'an avatar was forgotten');
      return;
    }
  }
  throw new ProblemError('not-final', 'The avatar is being changed by something else. Try again.');
}
