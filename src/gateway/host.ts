import type { Video } from '../domain/avatar.js';
import type { VideoAnswer, VideoRequest } from '../modellix/client.js';
import type { Stored } from '../store/store.js';
import { type Ports, storeClock } from './ports.js';
import { renew } from './renew.js';
import type { Renewal } from './renewals.js';

/** What the host of a video answered; `later`: its URL is over, and Modellix cannot be asked for another one now. */
export type HostAnswer = VideoAnswer | Extract<Renewal, { kind: 'later' }>;

/** Asks the host for a video of a succeeded avatar, by a fresh URL where the one that is known is over. */
export async function askHost(
  ports: Ports,
  stored: Stored,
  video: Video,
  request: VideoRequest,
): Promise<HostAnswer> {
  const { modellix, renewals } = ports;
  const { id } = stored.avatar;
  const known = await latest(ports, stored, video);
  const answer = await modellix.video(known.video.url, request);
  if (answer.kind !== 'gone') return answer;
  const renewal = known.renewal ?? (await renew(ports, stored, known.video.url));
  if (renewal.kind !== 'fresh') return renewal;
  const again =
    renewal.video.url === known.video.url ? answer : await modellix.video(renewal.video.url, request);
  if (again.kind === 'gone') renewals.isGone(id);
  return again;
}

/**
 * The video by the latest URL that is known of it; with what Modellix said where it was asked, since that one is over.
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
  const renewal = await renew(ports, stored, last.url);
  return { video: renewal.kind === 'fresh' ? renewal.video : last, renewal };
}
