import type { FastifyRequest } from 'fastify';
import type { GivenMedia } from '../domain/media/media.js';
import type { MediaRequest } from '../gateway/request.js';
import { memoryOf } from './plugins/body.js';
import type { CreateAvatar } from './schemas/avatar.js';

/** The media of a request whose body its schema allows. */
export function mediaRequestOf(
  request: FastifyRequest,
  { audio_id, mode = 'std' }: Pick<CreateAvatar, 'audio_id' | 'mode'>,
): MediaRequest {
  const given = (member: string): GivenMedia => {
    const media = request.media.get(member);
    if (media === undefined) throw new Error(`${member} was not read`);
    return media;
  };
  return {
    image: given('image'),
    // The schema has seen to it that exactly one of the two is there.
    speech: audio_id === undefined ? { soundFile: given('sound_file') } : { audioId: audio_id },
    mode,
    memory: memoryOf(request),
  };
}
