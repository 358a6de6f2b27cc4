import type { AudioFacts, ImageFacts } from '../domain/avatar.js';
import { type GivenMedia, MediaError, UrlNotAllowedError } from '../domain/media/media.js';
import type { MediaToSend, Submission } from '../modellix/submission.js';
import { type FieldError, ProblemError } from '../problems.js';
import type { Inspector, Ports } from './ports.js';
import type { Speech } from './request.js';

/** What was found, what to hand on, and what tells it from other media: a digest of the bytes, or the text. */
export interface Inspected {
  readonly image: {
    readonly facts: ImageFacts;
    readonly send: Submission['image'];
    readonly identity: readonly string[];
  };
  readonly speech: {
    readonly facts: AudioFacts;
    readonly send: Submission['audio'];
    readonly identity: readonly string[];
  };
}

/** Media that were looked at, or a URL that was not. */
interface SeenMedia<Facts> {
  readonly facts: Facts | null;
  readonly send: MediaToSend;
  readonly identity: readonly string[];
}

/**
 * Checks both media from their bytes before anything is spent, and reports on both at once.
 * @throws {ProblemError} `invalid-media` or `url-not-allowed`, naming each field at fault
 */
export async function inspectMedia(
  { inspector }: Pick<Ports, 'inspector'>,
  image: GivenMedia,
  speech: Speech,
): Promise<Inspected> {
  const [seenImage, seenSpeech] = await Promise.allSettled([
    checkImage(inspector, image),
    checkSpeech(inspector, speech),
  ]);
  if (seenImage.status === 'fulfilled' && seenSpeech.status === 'fulfilled') {
    return { image: seenImage.value, speech: seenSpeech.value };
  }
  const errors: FieldError[] = [];
  let slug: 'invalid-media' | 'url-not-allowed' = 'url-not-allowed';
  for (const [pointer, seen] of [
    ['/image', seenImage],
    ['/sound_file', seenSpeech],
  ] as const) {
    if (seen.status === 'fulfilled') continue;
    if (seen.reason instanceof MediaError) slug = 'invalid-media';
    else if (!(seen.reason instanceof UrlNotAllowedError)) throw seen.reason;
    errors.push({ pointer, detail: seen.reason.detail });
  }
  throw new ProblemError(slug, errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), {
    errors,
  });
}

async function checkImage(inspector: Inspector, given: GivenMedia): Promise<Inspected['image']> {
  const { facts, ...rest } = await look(given, (bytes) => inspector.image(bytes));
  return { facts: facts ?? { source: 'url', format: null, width: null, height: null, bytes: null }, ...rest };
}

async function checkSpeech(inspector: Inspector, speech: Speech): Promise<Inspected['speech']> {
  if ('audioId' in speech) {
    return { facts: unheard('audio_id'), send: speech, identity: ['id', speech.audioId] };
  }
  const { facts, send, identity } = await look(speech.soundFile, (bytes) => inspector.sound(bytes));
  return { facts: facts ?? unheard('url'), send: { soundFile: send }, identity };
}

async function look<Facts>(
  given: GivenMedia,
  inspect: (bytes: Buffer) => Promise<{ facts: Facts; bytes: Buffer; digest: string }>,
): Promise<SeenMedia<Facts>> {
  switch (given.kind) {
    case 'neither':
      throw given.error;
    case 'url':
      return { facts: null, send: { url: given.url }, identity: ['url', given.url] };
    case 'bytes': {
      const { facts, bytes, digest } = await inspect(given.bytes);
      return { facts, send: { bytes }, identity: ['bytes', digest] };
    }
  }
}

function unheard(source: 'audio_id' | 'url'): AudioFacts {
  return { source, format: null, durationSeconds: null, bytes: null };
}
