/** The walk over a stream of frames that mp3 and ADTS have in common. */

import { MediaError } from './media.js';
import { skipTags } from './tags.js';

/** What the walk needs to know of a frame. */
export interface FrameHeader {
  /** Bytes from this header to the next. */
  readonly length: number;
  /** The fields that are the same in all frames of a stream, packed. */
  readonly stream: number;
}

/** Reads the header at an offset; `null` where there is none. */
export type ReadHeader<H extends FrameHeader> = (bytes: Buffer, at: number) => H | null;

/** The longer of the two kinds of header, ADTS's. What is left of a file and shorter cannot be read as one. */
const HEADER_BYTES = 7;

/** Bytes of neither frames nor tags that are forgiven in a file; players skip them. More is another kind of file. */
const FORGIVEN_BYTES = 4_096;

/**
 * Every frame from the first to the last. The headers are counted instead of trusting the bit rate of the
 * first ones or a summary: a stream with a variable bit rate can begin like one with a constant bit rate.
 * Each byte is looked at a fixed number of times, whatever they are.
 */
export function* walkFrames<H extends FrameHeader>(
  name: string,
  bytes: Buffer,
  read: ReadHeader<H>,
): Generator<{ readonly header: H; readonly at: number }> {
  let stream: number | null = null;
  let strange = 0;
  let at = skipTags(bytes, 0);
  while (at < bytes.length) {
    const header = read(bytes, at);
    if (header !== null && (stream === null ? isFirst(bytes, at, header, read) : header.stream === stream)) {
      const missing = at + header.length - bytes.length;
      if (missing > 0) throw cutShort(name, `${missing}`);
      stream = header.stream;
      yield { header, at };
      at += header.length;
    } else {
      if (stream !== null && bytes[at] === 0xff && bytes.length - at < HEADER_BYTES) {
        throw cutShort(name, 'most');
      }
      strange += 1;
      at += 1;
      if (strange > FORGIVEN_BYTES) throw notAStream(name, stream !== null, at);
    }
    at = skipTags(bytes, at);
  }
  if (stream === null) throw notAStream(name, false, at);
}

/** Where the first frame of a kind begins, as far as the walk would look for it; `null` where there is none. */
export function findFrame<H extends FrameHeader>(bytes: Buffer, read: ReadHeader<H>): number | null {
  const from = skipTags(bytes, 0);
  for (let at = from; at <= from + FORGIVEN_BYTES && at < bytes.length; at++) {
    const header = read(bytes, at);
    if (header !== null && isFirst(bytes, at, header, read)) return at;
  }
  return null;
}

/** The first header counts only when another one or the end follows: eleven set bits turn up anywhere. */
function isFirst<H extends FrameHeader>(bytes: Buffer, at: number, header: H, read: ReadHeader<H>): boolean {
  const next = at + header.length;
  return next === bytes.length || read(bytes, next)?.stream === header.stream;
}

function cutShort(name: string, missing: string): MediaError {
  return new MediaError(`is an ${name} that is cut short: its last frame lacks ${missing} bytes`);
}

function notAStream(name: string, begun: boolean, at: number): MediaError {
  return new MediaError(
    begun
      ? `is a damaged ${name}: too many bytes up to offset ${at} are neither frames nor tags`
      : 'is not recognised as a sound; only mp3, wav, m4a and aac are taken',
  );
}
