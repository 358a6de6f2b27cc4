import type { Stored } from '../store/store.js';
import { neverSent, outcomeUnknown } from './after-submit.js';
import { erase, waiting, write } from './move.js';
import { type Ports, storeClock } from './ports.js';

/**
 * The steps that need no call to Modellix: what waited too long in the queue, a submit whose worker died or was cut off
 * with the POST under way, so that nothing may be sent for it again, and what is to be forgotten.
 * @throws {StoreUnavailableError} when it may not be done: the lease lapses and it is claimed again
 */
export async function lapsed(ports: Ports, stored: Stored): Promise<void> {
  const { avatar, version } = stored;
  const now = storeClock(stored)();
  if (avatar.step === 'expire') {
    await erase(ports, avatar, version);
  } else if (avatar.status === 'submitting') {
    const reason = 'The gateway was cut off while the request was under way.';
    await write(ports, version, outcomeUnknown(ports, avatar, reason, null, now));
  } else if (avatar.status === 'queued') {
    const tooLong = now - avatar.createdAt >= ports.settings.queueTimeoutMs;
    await write(ports, version, tooLong ? neverSent(ports, avatar, now) : waiting(ports, avatar, now));
  } else {
    ports.log.error({ avatarId: avatar.id, status: avatar.status }, 'an avatar stands in the wrong index');
  }
}
