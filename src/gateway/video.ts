import type { Avatar, Video } from '../domain/avatar.js';
import type { VideoAnswer, VideoRequest } from '../modellix/client.js';
import { ProblemError } from '../problems.js';
import type { Stored } from '../store/store.js';
import { askHost, latest } from './host.js';
import type { Ports } from './ports.js';

export type { VideoRequest } from '../modellix/client.js';
export type VideoStream = Extract<VideoAnswer, { kind: 'ok' }>;

/**
 * Where Modellix keeps the video of a finished avatar.
 * @throws {ProblemError} `video-not-ready`, `video-gone` or `video-url-expired`
 */
export async function videoUrl(ports: Ports, stored: Stored): Promise<string> {
  const { video, renewal } = await latest(ports, stored, videoOf(stored.avatar));
  if (renewal?.kind === 'gone') throw gone();
  if (renewal?.kind === 'later') throw later(renewal.waitMs);
  return video.url;
}

/**
 * Opens the video at its host. What becomes of it there does not change the avatar.
 * @throws {ProblemError} `video-not-ready`, `video-gone`, `video-url-expired`, `range-not-satisfiable` or `video-unavailable`
 */
export async function openVideo(ports: Ports, stored: Stored, request: VideoRequest): Promise<VideoStream> {
  const answer = await askHost(ports, stored, videoOf(stored.avatar), request);
  switch (answer.kind) {
    case 'ok':
      return answer;
    case 'range-not-satisfiable':
      throw new ProblemError('range-not-satisfiable', 'The range is outside the video.', {
        headers: answer.contentRange === null ? {} : { 'content-range': answer.contentRange },
      });
    case 'gone':
      throw gone();
    case 'later':
      throw later(answer.waitMs);
    case 'unavailable':
      throw new ProblemError('video-unavailable', `The video could not be fetched: ${answer.reason}.`);
  }
}

function videoOf({ status, video }: Avatar): Video {
  if (status === 'succeeded' && video !== null) return video;
  throw new ProblemError(
    'video-not-ready',
    `The avatar is ${status}; there is a video once it has succeeded.`,
  );
}

function gone(): ProblemError {
  return new ProblemError('video-gone', 'Modellix has dropped the video.');
}

function later(waitMs: number): ProblemError {
  const detail = 'The URL of the video is over, and Modellix cannot be asked for another one right now.';
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) };
  return new ProblemError('video-url-expired', detail, { headers });
}
