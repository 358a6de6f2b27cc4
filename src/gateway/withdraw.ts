import { setTimeout as pause } from 'node:timers/promises';
import type { Avatar } from '../domain/avatar.js';
import { backoffMs } from '../domain/schedule.js';
import { StoreUnavailableError } from '../store/store.js';
import type { Ports } from './ports.js';

/**
 * Takes back an avatar whose creation was not confirmed: its caller is told that nothing was made, so nothing may be
 * submitted for it, should the store have written it all the same. One with an idempotency key stays: its caller
 * finds out by repeating the request. Gives up when the doubt is over, since it may be submitted by then.
 */
export async function withdraw(ports: Ports, avatar: Avatar, withinMs: number): Promise<void> {
  const { store, log, random, stopping } = ports;
  if (avatar.idempotency !== null) return;
  const until = performance.now() + withinMs;
  for (let failures = 1; performance.now() < until && !stopping.aborted; failures++) {
    try {
      const stored = await store.find(avatar.caller, avatar.id);
      if (stored === null) return;
      if (stored.avatar.status !== 'queued') break;
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
