/** The length of an AAC sound in ADTS frames (ISO/IEC 13818-7 §6.2, 14496-3 Annex 1.A). */

import { type FrameHeader, findFrame, walkFrames } from './frames.js';

const HEADER_BYTES = 7;
const SAMPLES_A_BLOCK = 1024;

/** By `sampling_frequency_index` (14496-3 table 1.18); 13 and 14 are reserved, 15 is not for ADTS. */
export const AAC_RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

interface AdtsHeader extends FrameHeader {
  readonly rate: number;
  readonly samples: number;
}

/** Where the first ADTS frame begins, or `null`. An mp3 header differs from it in its layer bits. */
export function findAdts(bytes: Buffer): number | null {
  return findFrame(bytes, readAdtsHeader);
}

/** Seconds of sound. With SBR (HE-AAC) both the samples and the rate are half, so that the quotient holds. */
export function measureAdts(bytes: Buffer): number {
  let samples = 0;
  let rate = 1;
  for (const { header } of walkFrames('AAC', bytes, readAdtsHeader)) {
    samples += header.samples;
    rate = header.rate;
  }
  return samples / rate;
}

function readAdtsHeader(bytes: Buffer, at: number): AdtsHeader | null {
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
