import type { GivenMedia } from '../domain/media/media.js';
import { mediaIn } from '../domain/media/text.js';
import type { MediaRequest } from '../gateway/request.js';
import type { CreateAvatar } from './schemas/avatar.js';

/** The media of a body that its schema allows. @param apart those that are not in the body itself */
export function mediaRequestOf(body: CreateAvatar, apart: ReadonlyMap<string, GivenMedia>): MediaRequest {
  const { image, sound_file, audio_id, mode = 'std' } = body;
  const given = (member: string, text: string) => apart.get(member) ?? mediaIn(text);
  return {
    image: given('image', image),
    // The schema has seen to it that exactly one of the two is there.
    speech:
      audio_id === undefined ? { soundFile: given('sound_file', sound_file ?? '') } : { audioId: audio_id },
    mode,
  };
}
