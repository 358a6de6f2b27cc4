/** The walk over a stream of frames that mp3 and ADTS have in common. */

import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { endOfSound, skipTags } from './tags.js';

/** What the walk needs to know of a frame. */
export interface FrameHeader {
  /** Bytes from this header to the next. */
  readonly length: number;
  /** Samples a second, and samples in the frame. */
  readonly rate: number;
  readonly samples: number;
  /** The fields that are the same in all frames of a stream, packed. */
  readonly stream: number;
}

/** Reads the header at an offset; `null` where there is none. */
export type ReadHeader<H extends FrameHeader> = (bytes: Buffer, at: number) => H | null;

export interface Frame<H extends FrameHeader> {
  readonly header: H;
  readonly at: number;
  /** Bytes that the file has too few for it: it is the last one, and not whole. */
  readonly missing: number;
  /** Something else stands between it and the frame before. */
  readonly isBehindGap: boolean;
}

/** Bytes of neither frames nor tags that are forgiven in a file: players look as far for the first frame. More is another kind of file. */
const FORGIVEN_BYTES = 65_536;

/**
 * Every frame from the first to the last. The headers are counted instead of trusting the bit rate of the
 * first ones or a summary: a stream with a variable bit rate can begin like one with a constant bit rate.
 * Each byte is looked at a fixed number of times, whatever they are.
 */
export function* walkFrames<H extends FrameHeader>(
  name: string,
  file: Buffer,
  read: ReadHeader<H>,
  forgive: Forgive,
): Generator<Frame<H>> {
  const bytes = file.subarray(0, endOfSound(file));
  let last: H | null = null;
  let strange = 0;
  let end = 0;
  let at = skipTags(bytes, 0);
  while (at < bytes.length) {
    const header = read(bytes, at);
    if (header !== null && (header.stream === last?.stream || isFirst(bytes, at, header, read))) {
      if (last !== null && header.rate !== last.rate) {
        forgive({ what: `changes its sample rate from ${last.rate} to ${header.rate} Hz`, mended: false });
      }
      const missing = Math.max(0, at + header.length - bytes.length);
      yield { header, at, missing, isBehindGap: last !== null && at > end };
      last = header;
      at += header.length;
      end = at;
    } else {
      strange += 1;
      at += 1;
      if (strange > FORGIVEN_BYTES) throw notAStream(name, last !== null, at);
    }
    at = skipTags(bytes, at);
  }
  if (last === null) throw notAStream(name, false, at);
  if (strange > 0) forgive({ what: `has ${strange} bytes that are neither sound nor tags`, mended: false });
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

function notAStream(name: string, begun: boolean, at: number): MediaError {
  return new MediaError(
    begun
      ? `is a damaged ${name}: more than ${FORGIVEN_BYTES} bytes up to offset ${at} are neither frames nor tags`
      : 'is not recognised as a sound; only mp3, wav, m4a and aac are taken',
  );
}

/** Adds up frames, of which each may have a sample rate of its own. In samples, so that nothing is lost in fractions. */
export class PlayedSamples {
  readonly #samples = new Map<number, number>();

  add(rate: number, samples: number): void {
    this.#samples.set(rate, (this.#samples.get(rate) ?? 0) + samples);
  }

  get seconds(): number {
    return [...this.#samples].reduce((sum, [rate, samples]) => sum + samples / rate, 0);
  }
}
