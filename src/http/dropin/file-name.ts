/** Modellix's clients name a file after the last part of its URL, so the video's ends in one. */
const NAMED = /^(\/avatars\/[^/?#]+\/video)\/[^/?#]+\.mp4(?=[?#]|$)/;

/** The URL that stands for a named one: the same video. Any other as it is. */
export function withoutFileName(url: string): string {
  return url.replace(NAMED, '$1');
}
