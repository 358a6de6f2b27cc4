/** The length of an AAC sound in ADTS frames (ISO/IEC 13818-7 §6.2, 14496-3 Annex 1.A). */

import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { type FrameHeader, findFrame, PlayedSamples, walkFrames } from './frames.js';

const HEADER_BYTES = 7;
const SAMPLES_A_BLOCK = 1024;

/** By `sampling_frequency_index` (14496-3 table 1.18); 13 and 14 are reserved, 15 is not for ADTS. */
export const AAC_RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

/** Where the first ADTS frame begins, or `null`. An mp3 header differs from it in its layer bits. */
export function findAdts(bytes: Buffer): number | null {
  return findFrame(bytes, readAdtsHeader);
}

/** Seconds of sound. With SBR (HE-AAC) both the samples and the rate are half, so that the quotient holds. */
export function measureAdts(bytes: Buffer, forgive: Forgive): number {
  const played = new PlayedSamples();
  let end = 0;
  for (const { header, at, missing } of walkFrames('AAC', bytes, readAdtsHeader, forgive)) {
    if (missing > 0) throw cutShort(`${missing}`);
    played.add(header.rate, header.samples);
    end = at + header.length;
  }
  if (bytes[end] === 0xff && bytes.length - end < HEADER_BYTES) throw cutShort('most');
  return played.seconds;
}

function cutShort(missing: string): MediaError {
  return new MediaError(`is an AAC that is cut short: its last frame lacks ${missing} bytes`);
}

function readAdtsHeader(bytes: Buffer, at: number): FrameHeader | null {
  if (bytes[at] !== 0xff || at + HEADER_BYTES > bytes.length) return null;
  // ffff ffff ffff i llp | PP rrrr x c cc xxxx LL LLLL LLLL LLL bbb bbbb bbbb NN
  const first = bytes.readUInt16BE(at);
  const second = bytes.readUInt32BE(at + 2);
  if ((first & 0xfff6) !== 0xfff0) return null;
  const rate = AAC_RATES[(second >>> 26) & 15];
  const length = (second >>> 5) & 0x1fff;
  const hasCrc = (first & 1) === 0;
  if (rate === undefined || length <= HEADER_BYTES + (hasCrc ? 2 : 0)) return null;
  const blocks = ((bytes[at + 6] ?? 0) & 3) + 1;
  return { length, rate, samples: blocks * SAMPLES_A_BLOCK, stream: first * 0x400 + (second >>> 22) };
}
