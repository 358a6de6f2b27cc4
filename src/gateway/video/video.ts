import type { Avatar, Video } from '../../domain/avatar.js';
import type { VideoAnswer, VideoRequest } from '../../modellix/client.js';
import { ProblemError } from '../../problems.js';
import type { Stored } from '../../store/store.js';
import type { Ports } from '../ports.js';
import { askHost, type HostAnswer, latest, unasked } from './source.js';

export type { VideoRequest } from '../../modellix/client.js';

type Ok = Extract<VideoAnswer, { kind: 'ok' }>;

export interface VideoStream extends Pick<Ok, 'status' | 'headers'> {
  /** Fails with a {@link ProblemError} where the host breaks off: `video-unavailable`. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Where Modellix keeps the video of a finished avatar; `null` where the gateway has it itself, since there it may be gone.
 * @throws {ProblemError} `video-not-ready`, `video-gone` or `video-delayed`
 */
export async function videoUrl(ports: Ports, stored: Stored): Promise<string | null> {
  const last = videoOf(stored.avatar);
  if (ports.videos !== null && last.keptBytes !== null) return null;
  const { video, renewal } = await latest(ports, stored, last);
  if (renewal?.kind === 'gone') throw gone();
  if (renewal?.kind === 'later') throw later(unasked(renewal));
  return video.url;
}

/**
 * Opens the video where the gateway has it itself, else at its host. What becomes of it there does not change the avatar.
 * @throws {ProblemError} `video-not-ready`, `video-gone`, `video-delayed`, `range-not-satisfiable` or `video-unavailable`
 */
export async function openVideo(ports: Ports, stored: Stored, request: VideoRequest): Promise<VideoStream> {
  const { avatar } = stored;
  const video = videoOf(avatar);
  const { keptBytes } = video;
  // Where it is not here it is another replica's, or somebody removed it.
  const kept = keptBytes === null ? null : await ports.videos?.open(avatar.id, keptBytes, request);
  const answer = kept ?? (await askHost(ports, stored, video, request));
  switch (answer.kind) {
    case 'ok':
      return { ...answer, body: namingErrors(answer.body) };
    case 'range-not-satisfiable':
      throw new ProblemError('range-not-satisfiable', 'The range is outside the video.', {
        headers: answer.contentRange === null ? {} : { 'content-range': answer.contentRange },
      });
    case 'gone':
      throw gone();
    case 'later':
      throw later(answer);
    case 'unavailable':
      throw new ProblemError('video-unavailable', `The video could not be fetched: ${answer.reason}.`);
  }
}

async function* namingErrors(body: Ok['body']): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new ProblemError('video-unavailable', 'The host of the video broke off.', { cause });
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

function later({ waitMs, reason }: Extract<HostAnswer, { kind: 'later' }>): ProblemError {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) };
  return new ProblemError('video-delayed', `${reason}.`, { headers });
}
