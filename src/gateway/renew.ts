import type { Avatar, Video } from '../domain/avatar.js';
import type { QueryOutcome } from '../modellix/outcome.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import { past, write } from './move.js';
import { note } from './note.js';
import { type Ports, storeClock } from './ports.js';
import type { Renewal } from './renewals.js';
import { signalOfQuery } from './signals.js';

/** How soon it is worth to ask again where nothing says so. */
const LATER_MS = 5_000;

/**
 * Has Modellix say anew where the video of a succeeded avatar is: by one query, however many ask at once, and by none where
 * one was made a moment ago.
 * @throws {StoreUnavailableError} when no call is to be made
 */
export async function renew(ports: Ports, stored: Stored): Promise<Renewal> {
  const { renewals } = ports;
  const { id } = stored.avatar;
  return renewals.known(id) ?? renewals.ask(id, () => query(ports, stored));
}

async function query(ports: Ports, stored: Stored): Promise<Renewal> {
  const { keyring, modellix, limits, store } = ports;
  const { avatar } = stored;
  const { keyId, taskId, video } = avatar;
  if (keyId === null || taskId === null || video === null) throw new Error(`${avatar.id} has no video`);
  const key = keyring.get(keyId);
  if (key === null) return { kind: 'gone' };
  const { queued, keys } = await store.outlook([keyId]);
  const submitsWait = queued > 0 && limits.slots(keyId) > (keys.get(keyId)?.slots ?? 0);
  const { taken, waitMs } = await limits.take(keyId, 'poll', 1, { submitsWait, pollsWait: true });
  if (taken === 0) return { kind: 'later', waitMs };
  const { outcome, limits: headers } = await modellix.query(key, taskId);
  await note(ports, key, avatar, outcome, signalOfQuery(outcome), headers);
  const renewal = renewalOf(video, outcome);
  ports.log.info({ avatarId: avatar.id, renewal: renewal.kind }, 'Modellix was asked where a video is now');
  if (renewal.kind === 'fresh') await remember(ports, stored, renewal.video);
  return renewal;
}

/** A final state never changes: a task that is said to be anything but a success has no video any more. */
function renewalOf(video: Video, outcome: QueryOutcome): Renewal {
  switch (outcome.kind) {
    case 'success':
      if (outcome.resource === null) return { kind: 'gone' };
      return {
        kind: 'fresh',
        video: { ...video, url: outcome.resource.url, expiresAt: outcome.expiresAt },
      };
    case 'limited':
      return { kind: 'later', waitMs: outcome.retryAfterMs ?? LATER_MS };
    case 'unavailable':
      return { kind: 'later', waitMs: LATER_MS };
    default:
      return { kind: 'gone' };
  }
}

/** Where somebody is at work on the avatar its record is left alone: their write would be refused over this one. */
async function remember(ports: Ports, stored: Stored, video: Video): Promise<void> {
  if (stored.avatar.step !== 'expire') return;
  const renewed: Avatar = { ...stored.avatar, video };
  const move = past(ports, renewed, storeClock(stored)());
  try {
    await write(ports, stored.version, { ...move, silent: true });
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
  }
}
