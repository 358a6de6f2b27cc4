import type { CreateRequest } from './types.js';

interface Body {
  readonly body: string | FormData;
  readonly headers: Readonly<Record<string, string>>;
}

/** As JSON, or as a form where there is a file in it: `fetch` reads files as it sends them. */
export function bodyOf(request: CreateRequest): Body {
  const { image, sound_file } = request;
  if (!(image instanceof Blob || sound_file instanceof Blob)) {
    return { body: JSON.stringify(request), headers: { 'content-type': 'application/json' } };
  }
  const form = new FormData();
  const { image: _image, sound_file: _sound, metadata, ...texts } = request;
  for (const [name, text] of Object.entries(texts)) if (text !== undefined) form.append(name, String(text));
  if (metadata !== undefined) form.append('metadata', JSON.stringify(metadata));
  if (sound_file !== undefined) form.append('sound_file', fileOf(sound_file));
  form.append('image', fileOf(image));
  return { body: form, headers: {} };
}

/** In a form the gateway takes only short texts. What is neither a URL nor base64 is left for it to refuse. */
function fileOf(media: string | Blob): string | Blob {
  if (media instanceof Blob || /^https?:/i.test(media)) return media;
  try {
    const binary = atob(media.replace(/^data:[^,]*,/i, ''));
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
    return new Blob([bytes]);
  } catch {
    return media;
  }
}
