import type { Video } from '../domain/avatar.js';
import { notYetMs } from '../domain/result.js';
import type { VideoAnswer, VideoRequest } from '../modellix/client.js';
import type { Stored } from '../store/store.js';
import { type Ports, storeClock } from './ports.js';
import { renew } from './renew.js';
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
  renewals.isGone(avatar.id);
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
