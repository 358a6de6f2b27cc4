/** The length of an mp3 sound (ISO/IEC 11172-3 §2.4.1.3, 13818-3; MPEG-2.5 is Fraunhofer's own). */

import { type FrameHeader, findFrame, walkFrames } from './frames.js';
import { MediaError } from './media.js';

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
  readonly rate: number;
  readonly samples: number;
  /** Where a Xing, Info or LAME summary would stand in the frame: after the side information. */
  readonly summaryAt: number;
}

/** What the frame without sound, which encoders put first, says of the others. */
interface Summary {
  readonly frames: number;
  /** Samples that the encoder added before and after the sound, where it says so. */
  readonly added: { readonly before: number; readonly after: number } | null;
}

/** How late a decoder is, in samples. Nothing pushes them out behind the last frame, so that they are no sound. */
const DECODER_DELAY = 529;

/** Where there are more frames than promised by more than this part, others were put behind the file. */
const JOINED_PART = 1 / 16;

/**
 * Seconds of sound: every frame counted, less what the encoder says it added, as decoders play it. Of files put
 * together end to end, as speech services send them, decoders obey the summary in the first frame alone: what
 * the others added is played, their summaries too, as silence.
 */
export function measureMp3(bytes: Buffer): number {
  let frames = 0;
  let first: Summary | null = null;
  let promised = 0;
  let summaries = 0;
  let rate = 1;
  let frameSamples = 0;
  for (const { header, at } of walkFrames('mp3', bytes, readMp3Header)) {
    ({ rate, samples: frameSamples } = header);
    frames += 1;
    const summary = readSummary(bytes, at, header);
    if (summary === null) continue;
    if (frames === 1) first = summary;
    promised += summary.frames;
    summaries += 1;
  }
  // Some encoders count the summary's own frame.
  if (promised > frames) {
    throw new MediaError(
      `is an mp3 that is cut short: it promises ${promised} frames, there are ${frames - summaries}`,
    );
  }
  const played = first === null ? frames : frames - 1;
  const cut = first === null ? 0 : samplesCut(first, played);
  return Math.max(0, played * frameSamples - cut) / rate;
}

/** What a decoder leaves out at both ends. */
function samplesCut({ added, frames }: Summary, played: number): number {
  if (added === null) return 0;
  const before = added.before + DECODER_DELAY;
  return played > frames * (1 + JOINED_PART) ? before : before + Math.max(0, added.after - DECODER_DELAY);
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
  frames: 8,
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
  if (nameAt(bytes, at + VBRI.at) === NAMES.VBRI && at + VBRI.at + VBRI.end <= end) {
    return { frames: bytes.readUInt32BE(at + VBRI.at + VBRI.frames), added: null };
  }
  const name = nameAt(bytes, at + header.summaryAt);
  if (name !== NAMES.Xing && name !== NAMES.Info) return null;
  const xing = bytes.subarray(at + header.summaryAt, end);
  if (xing.length < XING.fixed) return null;
  const flags = xing.readUInt32BE(XING.flags);
  const counted = (flags & XING.hasFrames) !== 0 && xing.length >= XING.frames + 4;
  return { frames: counted ? xing.readUInt32BE(XING.frames) : 0, added: readAdded(xing, flags) };
}

function readAdded(xing: Buffer, flags: number): Summary['added'] {
  const lame = xing.subarray(
    XING.fixed +
      ((flags & XING.hasFrames) !== 0 ? 4 : 0) +
      ((flags & XING.hasBytes) !== 0 ? 4 : 0) +
      ((flags & XING.hasSeekTable) !== 0 ? 100 : 0) +
      ((flags & XING.hasQuality) !== 0 ? 4 : 0),
  );
  if (lame.length < LAME.end || !LAME_NAMES.has(nameAt(lame, 0))) return null;
  const added = lame.readUIntBE(LAME.added, 3);
  return { before: added >> 12, after: added & 0xfff };
}

/** Four characters as a number, so that a look at each of many frames makes no strings; 0 past the end. */
function nameAt(bytes: Buffer, at: number): number {
  return at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
}
