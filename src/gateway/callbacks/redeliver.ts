import { type Avatar, isFinal } from '../../domain/avatar.js';
import { redelivery } from '../../domain/callbacks/delivery.js';
import type { Scope } from '../../domain/caller.js';
import { ProblemError } from '../../problems.js';
import { changeFor, past, write } from '../move.js';
import type { Ports } from '../ports.js';
import { tellingOf } from './receiver.js';

/**
 * Has the receiver of a finished avatar told again, under the same name, with all the tries that the first time had.
 * @throws {ProblemError} `not-found`, `not-final`, `no-callback`
 */
export function redeliver(ports: Ports, scope: Scope, id: string): Promise<Avatar> {
  return changeFor(ports, scope, id, 'store-unavailable', async ({ avatar, version, now }) => {
    const { callback, status } = avatar;
    if (callback === null) throw new ProblemError('no-callback', 'The avatar has no callback_url.');
    const telling = tellingOf(ports, avatar.caller, callback.url);
    if ('not' in telling) throw new ProblemError('no-callback', `Nobody is told: ${telling.not}.`);
    if (!isFinal(status)) {
      const detail = `The avatar is ${status}; its receiver is told when it ends.`;
      throw new ProblemError('not-final', detail);
    }
    const next = redelivery(avatar, now);
    if (next === avatar) return avatar;
    const silent = next.callback?.state === callback.state;
    const written = await write(ports, version, { ...past(ports, next, now), silent });
    return written.saved ? next : null;
  });
}
