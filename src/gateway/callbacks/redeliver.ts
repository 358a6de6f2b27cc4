import { type Avatar, isFinal } from '../../domain/avatar.js';
import { redelivery } from '../../domain/callbacks/delivery.js';
import type { Scope } from '../../domain/caller.js';
import { ProblemError } from '../../problems.js';
import { past, write } from '../move.js';
import type { Ports } from '../ports.js';
import { tellingOf } from './receiver.js';

/** How often the write is tried over a record that another worker is writing. */
const ATTEMPTS = 3;

/**
 * Has the receiver of a finished avatar told again, under the same name, with all the tries that the first time had.
 * @throws {ProblemError} `not-found`, `not-final`, `no-callback`
 */
export async function redeliver(ports: Ports, scope: Scope, id: string): Promise<Avatar> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stored = await ports.store.find(scope, id);
    if (stored === null) throw new ProblemError('not-found', 'No avatar of yours has this id.');
    const { avatar, version, now } = stored;
    if (avatar.callback === null) throw new ProblemError('no-callback', 'The avatar has no callback_url.');
    const telling = tellingOf(ports, avatar.caller, avatar.callback.url);
    if ('not' in telling) throw new ProblemError('no-callback', `Nobody is told: ${telling.not}.`);
    if (!isFinal(avatar.status)) {
      throw new ProblemError(
        'not-final',
        `The avatar is ${avatar.status}; its receiver is told when it ends.`,
      );
    }
    const next = redelivery(avatar, now);
    if (next === avatar) return avatar;
    const silent = next.callback?.state === avatar.callback.state;
    const written = await write(ports, version, { ...past(ports, next, now), silent });
    if (written.saved) return next;
  }
  throw new ProblemError('store-unavailable', 'The avatar is being changed by something else. Try again.', {
    headers: { 'retry-after': '1' },
  });
}
