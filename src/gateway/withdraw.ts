import { setTimeout as pause } from 'node:timers/promises';
import type { Avatar } from '../domain/avatar.js';
import { backoffMs } from '../domain/schedule.js';
import { StoreUnavailableError } from '../store/store.js';
import type { Ports } from './ports.js';
import { giveBack } from './submit.js';

/**
 * Takes back an avatar whose creation was not confirmed: its caller is told that nothing was made, so nothing may be
 * submitted for it, should the store have written it all the same. One with an idempotency key stays, and waits in the queue:
 * its caller finds out by repeating the request. Either was not sent, which this process alone knows.
 * @param intent what its submit was to be begun with, if it was
 * @param until `performance.now()` when it may be given out to be submitted: its doubt began no earlier than it was asked for
 */
export async function withdraw(
  ports: Ports,
  avatar: Avatar,
  intent: string | null,
  until: number,
): Promise<void> {
  const { store, log, random, stopping } = ports;
  if (avatar.idempotency !== null) {
    if (intent !== null) await giveBack(ports, { ...avatar, intent }, avatar.createdAt, null);
    return;
  }
  // What was begun under this intent is nobody else's to send, so there is no hurry about it.
  const end = intent === null ? until : until + ports.settings.submitLeaseMs;
  for (let failures = 1; performance.now() < end && !stopping.aborted; failures++) {
    try {
      const stored = await store.find(avatar.caller, avatar.id);
      if (stored === null) return;
      const { status, intent: begun } = stored.avatar;
      if (status !== 'queued' && begun !== intent) break;
      if (await store.remove(avatar.id, stored.version)) return;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await pause(backoffMs(Math.min(failures, 3), random()), undefined, { signal: stopping }).catch(
        () => undefined,
      );
    }
  }
  log.warn({ avatarId: avatar.id }, 'an avatar may have been made that its caller was told was not');
}
