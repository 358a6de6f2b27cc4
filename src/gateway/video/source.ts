/** Where the video of a succeeded avatar is now: URLs expire, and Modellix knows the next one. */

import type { Avatar, Video } from '../../domain/avatar.js';
import { notYetMs } from '../../domain/result.js';
import type { VideoAnswer, VideoRequest } from '../../modellix/client.js';
import type { QueryOutcome } from '../../modellix/outcome.js';
import { type Stored, StoreUnavailableError } from '../../store/store.js';
import { reportToLimits, resultOfQuery } from '../limits/report.js';
import { past, write } from '../move.js';
import { type Ports, storeClock } from '../ports.js';
import type { Renewal } from './renewals.js';

/** What came of asking the host of a video. */
export type HostAnswer =
  | Exclude<VideoAnswer, { kind: 'expired' }>
  /** The host has it no more, and Modellix knows of no other place. */
  | { readonly kind: 'gone' }
  /** To be asked again in `waitMs`; `reason` is a sentence without its full stop. */
  | { readonly kind: 'later'; readonly waitMs: number; readonly reason: string };

/**
 * Asks the host for a video of a succeeded avatar, by a fresh URL where the one that is known has expired. What the host does
 * not have then is on its way while the result is young, and gone after that.
 */
export async function askHost(
  ports: Ports,
  stored: Stored,
  video: Video,
  request: VideoRequest,
): Promise<HostAnswer> {
  const { modellix, renewals } = ports;
  const { avatar } = stored;
  const known = await latest(ports, stored, video);
  const answer = await modellix.video(known.video.url, request);
  if (answer.kind !== 'expired') return answer;
  const renewal = known.renewal ?? (await renew(ports, stored));
  if (renewal.kind !== 'fresh') return renewal.kind === 'gone' ? renewal : unasked(renewal);
  if (renewal.video.url !== known.video.url) {
    const again = await modellix.video(renewal.video.url, request);
    if (again.kind !== 'expired') return again;
  }
  const waitMs = notYetMs(avatar, renewal.video, storeClock(stored)());
  if (waitMs !== null) return { kind: 'later', waitMs, reason: 'The video is not at its host yet' };
  renewals.markGone(avatar.id);
  return { kind: 'gone' };
}

/** Modellix could not be asked where a video is now. */
export function unasked({ waitMs }: Extract<Renewal, { kind: 'later' }>) {
  const reason = 'The URL of the video has expired, and Modellix cannot be asked for another one right now';
  return { kind: 'later', waitMs, reason } as const;
}

/**
 * The video by the latest URL that is known of it; with what Modellix said where it was asked, since that one has expired.
 * Where that came to nothing the old URL is tried all the same: clocks may disagree.
 */
export async function latest(
  ports: Ports,
  stored: Stored,
  video: Video,
): Promise<{ readonly video: Video; readonly renewal: Renewal | null }> {
  const known = ports.renewals.known(stored.avatar.id);
  const last = known?.kind === 'fresh' ? known.video : video;
  if (last.expiresAt === null || last.expiresAt > storeClock(stored)()) return { video: last, renewal: null };
  const renewal = await renew(ports, stored);
  return { video: renewal.kind === 'fresh' ? renewal.video : last, renewal };
}

/** How soon it is worth to ask again where nothing says so. */
const LATER_MS = 5_000;

/**
 * Has Modellix say anew where the video of a succeeded avatar is: by one query, however many ask at once, and by none where
 * one was made a moment ago.
 * @throws {StoreUnavailableError} when no call is to be made
 */
async function renew(ports: Ports, stored: Stored): Promise<Renewal> {
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
  const calls = limits.pollTerms(keyId);
  if (calls === null) return { kind: 'later', waitMs: limits.pollWaitMs(keyId) || LATER_MS };
  const waitMs = await store.takeCall(keyId, calls);
  if (waitMs > 0) return { kind: 'later', waitMs };
  const { outcome, limits: headers } = await modellix.query(key, taskId);
  await reportToLimits(ports, key, avatar, outcome, resultOfQuery(outcome), headers);
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
    await write(ports, stored.version, move);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
  }
}
