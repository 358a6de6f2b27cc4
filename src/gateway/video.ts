import type { Avatar } from '../domain/avatar.js';
import type { ModellixClient, VideoAnswer, VideoRequest } from '../modellix/client.js';
import { ProblemError } from '../problems.js';

export type { VideoRequest } from '../modellix/client.js';
export type VideoStream = Extract<VideoAnswer, { kind: 'ok' }>;

const GONE = 'Modellix has dropped the video.';

/**
 * Where Modellix keeps the video of a finished avatar.
 * @throws {ProblemError} `video-not-ready`
 */
export function videoUrl({ status, video }: Avatar): string {
  if (status === 'succeeded' && video !== null) return video.url;
  throw new ProblemError(
    'video-not-ready',
    `The avatar is ${status}; there is a video once it has succeeded.`,
  );
}

/**
 * Opens the video at its host. What becomes of it there does not change the avatar.
 * @throws {ProblemError} `video-not-ready`, `video-gone`, `range-not-satisfiable` or `video-unavailable`
 */
export async function openVideo(
  modellix: ModellixClient,
  avatar: Avatar,
  request: VideoRequest,
): Promise<VideoStream> {
  const answer = await modellix.video(videoUrl(avatar), request);
  switch (answer.kind) {
    case 'ok':
      return answer;
    case 'range-not-satisfiable':
      throw new ProblemError('range-not-satisfiable', 'The range is outside the video.', {
        headers: answer.contentRange === null ? {} : { 'content-range': answer.contentRange },
      });
    case 'gone':
      throw new ProblemError('video-gone', GONE);
    case 'unavailable':
      throw new ProblemError('video-unavailable', `The video could not be fetched: ${answer.reason}.`);
  }
}
