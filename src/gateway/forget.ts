import { isFinal } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import { ProblemError } from '../problems.js';
import { changeFor, erase } from './move.js';
import type { Ports } from './ports.js';

/**
 * Forgets a final avatar: its record, its idempotency key, and its video where that was kept. A worker that is busy with
 * it writes over another version than is there then, so nothing of it comes back.
 * @throws {ProblemError} `not-found` or `not-final`
 * @throws {StoreUnavailableError} when it is not known whether it is forgotten: asking again is safe
 */
export async function forget(ports: Ports, scope: Scope, id: string): Promise<void> {
  await changeFor(ports, scope, id, 'not-final', async ({ avatar, version }) => {
    const { status } = avatar;
    if (status === 'unconfirmed') {
      const detail = 'The avatar is unconfirmed. Resolve it first: a task may be paid for.';
      throw new ProblemError('not-final', detail);
    }
    if (!isFinal(status)) throw new ProblemError('not-final', `The avatar is ${status}.`);
    if (!(await erase(ports, avatar, version))) return null;
    ports.log.info({ avatarId: id, status }, 'an avatar was forgotten');
    return true;
  });
}
