import { classifyMedia, type GivenMedia, MediaError, UrlNotAllowedError } from './media.js';

/** Media given as text. What is returned shares its memory. */
export function mediaIn(text: Buffer): GivenMedia {
  try {
    const media = classifyMedia(text);
    return media.kind === 'url' ? media : { kind: 'base64', bytes: media.base64 };
  } catch (error) {
    if (error instanceof MediaError || error instanceof UrlNotAllowedError) return { kind: 'invalid', error };
    throw error;
  }
}
