import type { AudioFacts, ImageFacts } from '../domain/avatar.js';
import { MAX_AUDIO_BYTES } from '../domain/media/audio.js';
import { MAX_IMAGE_BYTES } from '../domain/media/image.js';
import type { Looked } from '../domain/media/looked.js';
import { type GivenMedia, MediaError, UrlNotAllowedError } from '../domain/media/media.js';
import type { MediaToSend, Submission } from '../modellix/submission.js';
import { type FieldError, ProblemError } from '../problems.js';
import type { Ports } from './ports.js';
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

type InspectPorts = Pick<Ports, 'inspector' | 'urls' | 'memory'> & {
  readonly settings: Pick<Ports['settings'], 'urlsMustAnswer'>;
};

type Look<Facts> = (bytes: Buffer, encoded: boolean) => Promise<Looked<Facts>>;

interface Limit {
  readonly maxBytes: number;
  readonly tooLarge: string;
}

const IMAGE_LIMIT: Limit = {
  maxBytes: MAX_IMAGE_BYTES,
  tooLarge: `is too large: an image may have at most ${MAX_IMAGE_BYTES} bytes (10 MB)`,
};
const SOUND_LIMIT: Limit = {
  maxBytes: MAX_AUDIO_BYTES,
  tooLarge: `is too large: a sound may have at most ${MAX_AUDIO_BYTES} bytes (5 MB)`,
};

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
  ports: InspectPorts,
  image: GivenMedia,
  speech: Speech,
): Promise<Inspected> {
  const [seenImage, seenSpeech] = await Promise.allSettled([
    checkImage(ports, image),
    checkSpeech(ports, speech),
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

async function checkImage(ports: InspectPorts, given: GivenMedia): Promise<Inspected['image']> {
  const look: Look<ImageFacts> = (bytes, encoded) => ports.inspector.image(bytes, encoded);
  const { facts, ...rest } = await see(ports, given, IMAGE_LIMIT, look);
  return { facts: facts ?? { source: 'url', format: null, width: null, height: null, bytes: null }, ...rest };
}

async function checkSpeech(ports: InspectPorts, speech: Speech): Promise<Inspected['speech']> {
  if ('audioId' in speech) {
    return { facts: unheard('audio_id'), send: speech, identity: ['id', speech.audioId] };
  }
  const look: Look<AudioFacts> = (bytes, encoded) => ports.inspector.sound(bytes, encoded);
  const { facts, send, identity } = await see(ports, speech.soundFile, SOUND_LIMIT, look);
  return { facts: facts ?? unheard('url'), send: { soundFile: send }, identity };
}

async function see<Facts extends ImageFacts | AudioFacts>(
  ports: InspectPorts,
  given: GivenMedia,
  limit: Limit,
  look: Look<Facts>,
): Promise<SeenMedia<Facts>> {
  switch (given.kind) {
    case 'neither':
      throw given.error;
    case 'url': {
      const facts = await seeUrl(ports, given.url, limit, look);
      return { facts, send: { url: given.url }, identity: ['url', given.url] };
    }
    case 'bytes': {
      const { facts, bytes, digest } = await look(given.bytes, false);
      return { facts, send: { bytes }, identity: ['bytes', digest] };
    }
    case 'base64': {
      const { facts, bytes, digest } = await look(given.bytes, true);
      return { facts, send: { base64: bytes }, identity: ['bytes', digest] };
    }
  }
}

/** What is behind a URL; `null` where nobody looked, or nobody could. Modellix is sent the URL all the same. */
async function seeUrl<Facts extends ImageFacts | AudioFacts>(
  { urls, memory, settings }: InspectPorts,
  url: string,
  { maxBytes, tooLarge }: Limit,
  look: Look<Facts>,
): Promise<Facts | null> {
  if (urls === null) return null;
  const letGo = memory.hold(maxBytes).keep();
  try {
    const fetched = await urls.fetch(url, maxBytes);
    switch (fetched.kind) {
      case 'bytes':
        return { ...(await look(fetched.bytes, false)).facts, source: 'url' };
      case 'too-large':
        throw new MediaError(tooLarge);
      case 'not-allowed':
        throw new UrlNotAllowedError(fetched.detail);
      case 'unreachable':
        if (settings.urlsMustAnswer) throw new MediaError(fetched.detail);
        return null;
    }
  } finally {
    letGo();
  }
}

function unheard(source: 'audio_id' | 'url'): AudioFacts {
  return { source, format: null, durationSeconds: null, bytes: null };
}
