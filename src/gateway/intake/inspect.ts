import type { AudioFacts, ImageFacts } from '../../domain/avatar.js';
import { MAX_AUDIO_BYTES } from '../../domain/media/audio/audio.js';
import type { Forgiven } from '../../domain/media/forgiven.js';
import { MAX_IMAGE_BYTES } from '../../domain/media/image/image.js';
import type { InspectedFile } from '../../domain/media/inspected.js';
import { type GivenMedia, MediaError, UrlNotAllowedError } from '../../domain/media/media.js';
import type { MediaToSend, Submission } from '../../modellix/submission.js';
import { type FieldError, ProblemError } from '../../problems.js';
import type { Ports } from '../ports.js';
import { overloaded } from './memory.js';
import type { Speech } from './request.js';

/** `send`: what Modellix gets. `identity`: equal for equal media: a digest of the bytes that are sent, or the URL or id. */
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
  /** What was forgiven in them, for the caller. */
  readonly warnings: readonly FieldError[];
}

type InspectPorts = Pick<Ports, 'inspector' | 'urls' | 'memory'> & {
  readonly settings: Pick<Ports['settings'], 'urlsMustAnswer'>;
  /** Whose memory is taken for what is fetched. */
  readonly holder: string;
};

type Inspect<Facts> = (bytes: Buffer, encoded: boolean) => Promise<InspectedFile<Facts>>;

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

/** Media that were inspected, or a URL that was not. */
interface InspectedMedia<Facts> {
  readonly facts: Facts | null;
  readonly send: MediaToSend;
  readonly identity: readonly string[];
  readonly warnings: readonly string[];
}

interface Warned {
  readonly warnings: readonly string[];
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
  const [checkedImage, checkedSpeech] = await Promise.allSettled([
    checkImage(ports, image),
    checkSpeech(ports, speech),
  ]);
  if (checkedImage.status === 'fulfilled' && checkedSpeech.status === 'fulfilled') {
    const { warnings: ofImage, ...image } = checkedImage.value;
    const { warnings: ofSpeech, ...speech } = checkedSpeech.value;
    const warnings = [...at('/image', ofImage), ...at('/sound_file', ofSpeech)];
    return { image, speech, warnings };
  }
  const errors: FieldError[] = [];
  let slug: 'invalid-media' | 'url-not-allowed' = 'url-not-allowed';
  for (const [pointer, checked] of [
    ['/image', checkedImage],
    ['/sound_file', checkedSpeech],
  ] as const) {
    if (checked.status === 'fulfilled') continue;
    if (checked.reason instanceof MediaError) slug = 'invalid-media';
    else if (!(checked.reason instanceof UrlNotAllowedError)) throw checked.reason;
    errors.push({ pointer, detail: checked.reason.detail });
  }
  throw new ProblemError(slug, errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), {
    errors,
  });
}

function at(pointer: string, details: readonly string[]): readonly FieldError[] {
  return details.map((detail) => ({ pointer, detail }));
}

async function checkImage(ports: InspectPorts, given: GivenMedia): Promise<Inspected['image'] & Warned> {
  const inspect: Inspect<ImageFacts> = (bytes, encoded) => ports.inspector.image(bytes, encoded);
  const { facts, ...rest } = await inspectGiven(ports, given, IMAGE_LIMIT, inspect);
  return { facts: facts ?? { source: 'url', format: null, width: null, height: null, bytes: null }, ...rest };
}

async function checkSpeech(ports: InspectPorts, speech: Speech): Promise<Inspected['speech'] & Warned> {
  if ('audioId' in speech) {
    return { facts: unknownAudio('audio_id'), send: speech, identity: ['id', speech.audioId], warnings: [] };
  }
  const inspect: Inspect<AudioFacts> = (bytes, encoded) => ports.inspector.sound(bytes, encoded);
  const { facts, send, ...rest } = await inspectGiven(ports, speech.soundFile, SOUND_LIMIT, inspect);
  return { facts: facts ?? unknownAudio('url'), send: { soundFile: send }, ...rest };
}

async function inspectGiven<Facts extends ImageFacts | AudioFacts>(
  ports: InspectPorts,
  given: GivenMedia,
  limit: Limit,
  inspect: Inspect<Facts>,
): Promise<InspectedMedia<Facts>> {
  switch (given.kind) {
    case 'invalid':
      throw given.error;
    case 'url': {
      const file = await inspectUrl(ports, given.url, limit, inspect);
      const facts = file && { ...file.facts, source: 'url' };
      const warnings =
        file?.forgiven.map(({ what }) => `${what}; it is at a URL, so Modellix gets it as it is`) ?? [];
      return { facts, send: { url: given.url }, identity: ['url', given.url], warnings };
    }
    case 'bytes':
    case 'base64': {
      const { facts, bytes, encoded, digest, forgiven } = await inspect(given.bytes, given.kind === 'base64');
      const send = encoded ? { base64: bytes } : { bytes };
      return { facts, send, identity: ['bytes', digest], warnings: forgiven.map(warningOf) };
    }
  }
}

function warningOf({ what, mended }: Forgiven): string {
  return `${what}; ${mended ? 'it is put right before it is sent' : 'it is sent as it is'}`;
}

/** What is behind a URL; `null` where it is not fetched, or could not be. Modellix is sent the URL all the same. */
async function inspectUrl<Facts extends ImageFacts | AudioFacts>(
  { urls, memory, holder, settings }: InspectPorts,
  url: string,
  { maxBytes, tooLarge }: Limit,
  inspect: Inspect<Facts>,
): Promise<InspectedFile<Facts> | null> {
  if (urls === null) return null;
  const lease = memory.tryAcquire(holder, 0);
  if (lease === null) throw overloaded();
  const release = lease.retain();
  try {
    const fetched = await urls.fetch(url, maxBytes, { hasRoom: (bytes) => lease.resize(bytes) });
    switch (fetched.kind) {
      case 'bytes':
        return await inspect(fetched.bytes, false);
      case 'too-large':
        throw new MediaError(tooLarge);
      case 'no-room':
        throw overloaded();
      case 'not-allowed':
        throw new UrlNotAllowedError(fetched.detail);
      case 'unreachable':
        if (settings.urlsMustAnswer) throw new MediaError(fetched.detail);
        return null;
    }
  } finally {
    release();
  }
}

function unknownAudio(source: 'audio_id' | 'url'): AudioFacts {
  return { source, format: null, durationSeconds: null, bytes: null };
}
