/** The length of an mp3 sound (ISO/IEC 11172-3 §2.4.1.3, 13818-3; MPEG-2.5 is Fraunhofer's own). */

import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { type FrameHeader, findFrame, PlayedSamples, walkFrames } from './frames.js';

const HEADER_BYTES = 4;
const LAYER_III = 1;

/** Kilobits a second, by bit rate index. Index 0 is "free", whose frames have no length in the header. */
const KILOBITS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KILOBITS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** Samples a second, by version bits (0 is MPEG-2.5, 1 reserved, 2 MPEG-2, 3 MPEG-1) and rate index. */
const RATES: ReadonlyArray<readonly number[]> = [
  [11_025, 12_000, 8_000],
  [],
  [22_050, 24_000, 16_000],
  [44_100, 48_000, 32_000],
];

interface Mp3Header extends FrameHeader {
  /** Where a Xing, Info or LAME summary would stand in the frame: after the side information. */
  readonly summaryAt: number;
}

/** What the frame without sound, which encoders put first, says of the others. */
interface Summary {
  readonly frames: number;
  /** The file from this frame on; 0 where it is not said. */
  readonly bytes: number;
  /** Samples that the encoder added before and after the sound, where it says so. */
  readonly added: { readonly before: number; readonly after: number } | null;
}

/** How late a decoder is, in samples. Nothing pushes them out behind the last frame, so that they are no sound. */
const DECODER_DELAY = 529;

/** A file that is larger than promised by more than this part has others put behind it; one with fewer frames is not whole. */
const MISFIT_PART = 1 / 16;

/**
 * Seconds of sound: every frame counted, less what the encoder says it added, as decoders play it. Of files put
 * together end to end, as speech services send them, decoders obey the summary in the first frame alone: what
 * the others added is played, their summaries too, as silence. Behind whatever stands between two frames they lose one,
 * until they are sure to have found the next.
 */
export function measureMp3(bytes: Buffer, forgive: Forgive): number {
  const played = new PlayedSamples();
  let first: { readonly summary: Summary; readonly header: Mp3Header; readonly at: number } | null = null;
  let [frames, promised, summaries, samples, lacks] = [0, 0, 0, 0, 0];
  for (const { header, at, missing, isBehindGap } of walkFrames('mp3', bytes, readMp3Header, forgive)) {
    const summary = readSummary(bytes, at, header);
    promised += summary?.frames ?? 0;
    summaries += summary === null ? 0 : 1;
    frames += 1;
    lacks = missing;
    if (summary !== null && frames === 1) first = { summary, header, at };
    else if (!isBehindGap) {
      samples += header.samples;
      played.add(header.rate, header.samples);
    }
  }
  const sounding = frames - summaries;
  if (promised > sounding * (1 + MISFIT_PART) + summaries) {
    throw new MediaError(
      `is an mp3 that is cut short: it promises ${promised} frames, there are ${sounding}; send the whole file`,
    );
  }
  // Some encoders count the summary's own frame.
  if (promised > frames)
    forgive({ what: `promises ${promised} frames, there are ${sounding}`, mended: false });
  if (lacks > 0) forgive({ what: `ends in the middle of a frame, ${lacks} bytes short`, mended: false });
  if (first !== null) {
    const { summary, header, at } = first;
    const isJoined = summary.bytes > 0 && bytes.length - at > summary.bytes * (1 + MISFIT_PART);
    played.add(header.rate, -samplesCut(summary, header, isJoined, samples));
  }
  return Math.max(0, played.seconds);
}

/** What a decoder leaves out at both ends: of the end, as far as there is something where it was promised. */
function samplesCut(
  { added, frames }: Summary,
  header: Mp3Header,
  isJoined: boolean,
  samples: number,
): number {
  if (added === null) return 0;
  const before = added.before + DECODER_DELAY;
  if (isJoined || frames === 0) return before;
  const end = frames * header.samples;
  const after = Math.max(0, added.after - DECODER_DELAY);
  return before + Math.max(0, Math.min(end, samples) - (end - after));
}

/** Where the first mp3 frame begins, or `null`. */
export function findMp3(bytes: Buffer): number | null {
  return findFrame(bytes, readMp3Header);
}

function readMp3Header(bytes: Buffer, at: number): Mp3Header | null {
  if (bytes[at] !== 0xff || at + HEADER_BYTES > bytes.length) return null;
  // ffff ffff fff v vllp | bbbb rrpx | ccxx xxee
  const first = bytes[at + 1] ?? 0;
  const second = bytes[at + 2] ?? 0;
  const third = bytes[at + 3] ?? 0;
  const version = (first >> 3) & 3;
  const rate = RATES[version]?.[(second >> 2) & 3];
  const kilobits = (version === 3 ? KILOBITS_1 : KILOBITS_2)[second >> 4] ?? 0;
  if (first < 0xe0 || ((first >> 1) & 3) !== LAYER_III) return null;
  if (rate === undefined || kilobits === 0 || (third & 3) === 2) return null;
  const samples = version === 3 ? 1152 : 576;
  const padding = (second >> 1) & 1;
  const mono = third >> 6 === 3;
  const sideBytes = version === 3 ? (mono ? 17 : 32) : mono ? 9 : 17;
  return {
    length: Math.floor((samples * kilobits * 125) / rate) + padding,
    rate,
    samples,
    summaryAt: HEADER_BYTES + sideBytes,
    stream: (first & 0x1e) * 16 + (second & 0x0c),
  };
}

/** Offsets within a summary, from its name on (gabriel.mp3-tech.org/mp3infotag.html). */
const XING = {
  flags: 4,
  fixed: 8,
  hasFrames: 1,
  hasBytes: 2,
  hasSeekTable: 4,
  hasQuality: 8,
} as const;
/** Within what LAME and libavformat add after it: 12 bits of samples before, 12 bits of samples after. */
const LAME = { added: 21, end: 24 } as const;
/** Fraunhofer's VBRI stands 32 bytes after the header, whatever the side information. */
const VBRI = { at: HEADER_BYTES + 32, frames: 14, end: 18 } as const;

const NAMES = { VBRI: nameOf('VBRI'), Xing: nameOf('Xing'), Info: nameOf('Info') } as const;
const LAME_NAMES: ReadonlySet<number> = new Set(['LAME', 'Lavf', 'Lavc'].map(nameOf));

function nameOf(text: string): number {
  return Buffer.from(text, 'latin1').readUInt32BE(0);
}

function readSummary(bytes: Buffer, at: number, header: Mp3Header): Summary | null {
  const end = at + header.length;
  if (wordAt(bytes, at + VBRI.at) === NAMES.VBRI && at + VBRI.at + VBRI.end <= end) {
    return { frames: bytes.readUInt32BE(at + VBRI.at + VBRI.frames), bytes: 0, added: null };
  }
  const name = wordAt(bytes, at + header.summaryAt);
  if (name !== NAMES.Xing && name !== NAMES.Info) return null;
  const xing = bytes.subarray(at + header.summaryAt, end);
  if (xing.length < XING.fixed) return null;
  const flags = xing.readUInt32BE(XING.flags);
  let next: number = XING.fixed;
  const take = (flag: number, length: number) => {
    if ((flags & flag) === 0) return 0;
    next += length;
    return wordAt(xing, next - length);
  };
  const [frames, fileBytes] = [take(XING.hasFrames, 4), take(XING.hasBytes, 4)];
  take(XING.hasSeekTable, 100);
  take(XING.hasQuality, 4);
  return { frames, bytes: fileBytes, added: readAdded(xing.subarray(next)) };
}

function readAdded(lame: Buffer): Summary['added'] {
  if (lame.length < LAME.end || !LAME_NAMES.has(wordAt(lame, 0))) return null;
  const added = lame.readUIntBE(LAME.added, 3);
  return { before: added >> 12, after: added & 0xfff };
}

/** Four bytes as a number, so that a look at each of many frames makes no strings; 0 past the end. */
function wordAt(bytes: Buffer, at: number): number {
  return at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
}
