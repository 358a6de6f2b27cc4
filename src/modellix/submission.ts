import type { Mode } from '../domain/avatar.js';

/** What a submit says: the media are ASCII bytes, base64 without a `data:` prefix or the text of a URL. */
export interface Submission {
  readonly image: Buffer;
  readonly audio: { readonly audioId: string } | { readonly soundFile: Buffer };
  readonly prompt: string | null;
  readonly mode: Mode;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Above the longest URL that is accepted; what is longer is base64. */
const MAX_SHORT = 4096;

/**
 * The body of a submit, exactly as the reference page has it. Up to 21 MB of base64 go through here, so it is
 * put together by one copy of bytes and the media never become strings.
 */
export function submissionOf({ image, audio, prompt, mode }: Submission): Buffer {
  const speech =
    'audioId' in audio
      ? [Buffer.from(`,"audio_id":${JSON.stringify(audio.audioId)}`)]
      : [Buffer.from(',"sound_file":"'), ...escaped(audio.soundFile), Buffer.from('"')];
  const words = prompt === null ? '' : `,"prompt":${JSON.stringify(prompt)}`;
  return Buffer.concat([
    Buffer.from('{"image":"'),
    ...escaped(image),
    Buffer.from('"'),
    ...speech,
    Buffer.from(`${words},"mode":${JSON.stringify(mode)}}`),
  ]);
}

/** The inside of a JSON string (RFC 8259, 7), as slices of `text` with the escapes between them. */
function escaped(text: Buffer): Buffer[] {
  // Base64 needs no escape: two searches at memory speed, rather than a look at each of its bytes, are
  // enough to make sure that nothing breaks out of the string.
  if (text.length > MAX_SHORT && !text.includes(QUOTE) && !text.includes(BACKSLASH)) return [text];
  const slices: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue;
    slices.push(text.subarray(from, at), Buffer.from(`\\u${byte.toString(16).padStart(4, '0')}`));
    from = at + 1;
  }
  slices.push(text.subarray(from));
  return slices;
}
