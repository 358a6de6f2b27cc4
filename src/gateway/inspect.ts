import type { AudioFacts, ImageFacts } from '../domain/avatar.js';
import { inspectAudio } from '../domain/media/audio.js';
import { decodeBase64 } from '../domain/media/base64.js';
import { inspectImage } from '../domain/media/image.js';
import { classifyMedia, MediaError, UrlNotAllowedError } from '../domain/media/media.js';
import { type FieldError, ProblemError } from '../problems.js';

/** Speech as the caller gave it; `soundFile` is a URL or base64, in ASCII bytes. */
export type Speech = { readonly audioId: string } | { readonly soundFile: Buffer };

/** What was found, and the bytes to hand on: a URL, or bare base64. */
export interface Inspected {
  readonly image: { readonly facts: ImageFacts; readonly text: Buffer };
  readonly speech: { readonly facts: AudioFacts; readonly send: Speech };
}

/**
 * Checks both media from their bytes before anything is spent, and reports on both at once.
 * @throws {ProblemError} `invalid-media` or `url-not-allowed`, naming each field at fault
 */
export async function inspectMedia(image: Buffer, speech: Speech): Promise<Inspected> {
  const [seenImage, seenSpeech] = await Promise.allSettled([checkImage(image), checkSpeech(speech)]);
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

async function checkImage(text: Buffer): Promise<Inspected['image']> {
  const media = classifyMedia(text);
  if (media.kind === 'inline') {
    return { facts: inspectImage(decodeBase64(media.base64)), text: media.base64 };
  }
  return { facts: { source: 'url', format: null, width: null, height: null, bytes: null }, text };
}

async function checkSpeech(speech: Speech): Promise<Inspected['speech']> {
  if ('audioId' in speech) return { facts: unseen('audio_id'), send: speech };
  const media = classifyMedia(speech.soundFile);
  if (media.kind === 'inline') {
    const facts = await inspectAudio(decodeBase64(media.base64));
    return { facts, send: { soundFile: media.base64 } };
  }
  return { facts: unseen('url'), send: speech };
}

function unseen(source: 'audio_id' | 'url'): AudioFacts {
  return { source, format: null, durationSeconds: null, bytes: null };
}
