import type { Mode } from '../domain/avatar.js';

/** Base64 is sent as it is; the bytes of a file are encoded as they are sent. */
export type MediaToSend = { readonly url: string } | { readonly bytes: Buffer } | { readonly base64: Buffer };

/** What a submit says. */
export interface Submission {
  readonly image: MediaToSend;
  readonly audio: { readonly audioId: string } | { readonly soundFile: MediaToSend };
  readonly prompt: string | null;
  readonly mode: Mode;
}

/** Media in what is stored: a URL, or how many bytes of those behind the head, and whether they are base64. */
type Stored = { readonly url: string } | { readonly bytes: number } | { readonly base64: number };

interface Head {
  readonly image: Stored;
  readonly audio: { readonly audioId: string } | { readonly soundFile: Stored };
  readonly prompt: string | null;
  readonly mode: Mode;
}

const LINE_FEED = 0x0a;
/** Encoded at a time; of three bytes each, so that no padding stands within. */
const SLICE_BYTES = 48 * 1024;
/** Written at a time. */
const TEXT_SLICE_BYTES = 256 * 1024;

/** A submission as it is stored until it is sent: a head of JSON, a line feed, and the bytes of the media as they are. */
export function packSubmission({ image, audio, prompt, mode }: Submission): Buffer[] {
  const bytes: Buffer[] = [];
  const set = (media: MediaToSend): Stored => {
    if ('url' in media) return media;
    const isText = 'base64' in media;
    const held = isText ? media.base64 : media.bytes;
    bytes.push(held);
    return isText ? { base64: held.length } : { bytes: held.length };
  };
  const head: Head = {
    image: set(image),
    audio: 'audioId' in audio ? audio : { soundFile: set(audio.soundFile) },
    prompt,
    mode,
  };
  return [Buffer.from(`${JSON.stringify(head)}\n`), ...bytes];
}

/** The media share their memory with `packed`. @throws {TypeError} for what {@link packSubmission} did not make */
export function unpackSubmission(packed: Buffer): Submission {
  const end = packed.indexOf(LINE_FEED);
  const { image, audio, prompt, mode } = readHead(packed.subarray(0, Math.max(0, end)));
  let at = end + 1;
  const get = (stored: Stored): MediaToSend => {
    if ('url' in stored) return stored;
    const isText = 'base64' in stored;
    const from = at;
    at += isText ? stored.base64 : stored.bytes;
    const held = packed.subarray(from, at);
    return isText ? { base64: held } : { bytes: held };
  };
  const submission: Submission = {
    image: get(image),
    audio: 'audioId' in audio ? audio : { soundFile: get(audio.soundFile) },
    prompt,
    mode,
  };
  if (at !== packed.length) throw new TypeError('a stored submission is not as long as its head says');
  return submission;
}

function readHead(head: Buffer): Head {
  try {
    return JSON.parse(head.toString()) as Head;
  } catch {
    throw new TypeError('a stored submission has no head');
  }
}

/** The body of a submit, exactly as the reference page has it, made as it is sent. */
export function bodyOf({ image, audio, prompt, mode }: Submission): {
  readonly bytes: number;
  chunks(): Generator<Buffer>;
} {
  const speech = 'audioId' in audio ? { audio_id: audio.audioId } : { sound_file: audio.soundFile };
  const rest = prompt === null ? { mode } : { prompt, mode };
  const parts: (string | Exclude<MediaToSend, { url: string }>)[] = [];
  let text = '{';
  for (const [name, value] of Object.entries({ image, ...speech, ...rest })) {
    text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:`;
    if (typeof value === 'string') text += JSON.stringify(value);
    else if ('url' in value) text += JSON.stringify(value.url);
    else {
      parts.push(`${text}"`, value);
      text = '"';
    }
  }
  parts.push(`${text}}`);
  return {
    bytes: parts.reduce((sum, part) => sum + sizeOf(part), 0),
    *chunks() {
      for (const part of parts) {
        if (typeof part === 'string') yield Buffer.from(part);
        else yield* 'base64' in part ? slices(part.base64) : encoded(part.bytes);
      }
    },
  };
}

function sizeOf(part: string | { readonly bytes: Buffer } | { readonly base64: Buffer }): number {
  if (typeof part === 'string') return Buffer.byteLength(part);
  return 'base64' in part ? part.base64.length : Math.ceil(part.bytes.length / 3) * 4;
}

function* slices(text: Buffer): Generator<Buffer> {
  for (let at = 0; at < text.length; at += TEXT_SLICE_BYTES) yield text.subarray(at, at + TEXT_SLICE_BYTES);
}

function* encoded(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    yield Buffer.from(bytes.toString('base64', at, at + SLICE_BYTES), 'latin1');
  }
}
