/** What an MP4 file says of its AAC (ISO/IEC 14496-14 §5.6, 14496-1 §7.2.6, 14496-3 §1.6.2). */

import { MediaError } from '../media.js';
import { AAC_RATES } from './adts.js';
import { type Box, printable, readBoxes } from './boxes.js';

/** What the length of a frame follows from. */
export interface AacConfig {
  /** Samples a second of the core, which SBR doubles together with the samples of a frame. */
  readonly rate: number;
  readonly frameSamples: number;
}

/** Object type indications: MPEG-4 audio, and MPEG-2 AAC in its three profiles. */
const AAC_INDICATIONS: ReadonlySet<number> = new Set([0x40, 0x66, 0x67, 0x68]);

/** Audio object types: Main, LC, SSR, LTP. */
const AAC_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4]);
/** SBR (HE-AAC) and PS (HE-AAC v2) come around one of them. */
const EXTENSIONS: ReadonlySet<number> = new Set([5, 29]);

/** Descriptors, by tag. */
const ES = 3;
const DECODER_CONFIG = 4;
const DECODER_SPECIFIC = 5;

/** Reserved bytes, data reference, version, channels, sample size and rate of an AudioSampleEntry. */
const ENTRY_BYTES = 28;
const VERSION_AT = 8;
/** What QuickTime puts behind them, by version (QuickTime File Format, "Sound Sample Descriptions"). */
const QUICKTIME_BYTES: Readonly<Record<number, number>> = { 1: 16, 2: 36 };

/** From the sample description (`stsd`), which must be AAC and nothing else. */
export function readAacConfig(stsd: Buffer): AacConfig {
  const [entry, ...others] = readBoxes(stsd.subarray(8));
  if (entry === undefined || others.length > 0)
    throw new MediaError('is an m4a with more than one codec, or none');
  if (entry.type !== 'mp4a') throw notAac(printable(entry.type));
  const version = entry.body.readUInt16BE(VERSION_AT);
  const boxes = readBoxes(entry.body.subarray(ENTRY_BYTES + (QUICKTIME_BYTES[version] ?? 0)));
  const esds = find(boxes, 'esds') ?? find(readBoxes(find(boxes, 'wave')?.body ?? Buffer.alloc(0)), 'esds');
  if (esds === undefined) throw new MediaError('is an m4a that does not describe its AAC');
  return readDescriptors(esds.body.subarray(4));
}

function find(boxes: readonly Box[], type: string): Box | undefined {
  return boxes.find((box) => box.type === type);
}

function readDescriptors(bytes: Buffer): AacConfig {
  const stream = descriptor(bytes, ES);
  const flags = stream.readUInt8(2);
  let at = 3;
  if ((flags & 0x80) !== 0) at += 2;
  if ((flags & 0x40) !== 0) at += 1 + stream.readUInt8(at);
  if ((flags & 0x20) !== 0) at += 2;
  const decoder = descriptor(stream.subarray(at), DECODER_CONFIG);
  const indication = decoder.readUInt8(0);
  if (!AAC_INDICATIONS.has(indication)) throw notAac(`object type 0x${indication.toString(16)}`);
  return readAudioSpecificConfig(descriptor(decoder.subarray(13), DECODER_SPECIFIC));
}

/** A tag, a length in sevens of bits, a body. */
function descriptor(bytes: Buffer, tag: number): Buffer {
  if (bytes.readUInt8(0) !== tag) throw new MediaError('is a broken m4a: its "esds" box is out of order');
  let length = 0;
  let at = 1;
  for (let more = true; more && at <= 4; at++) {
    const byte = bytes.readUInt8(at);
    length = length * 128 + (byte & 0x7f);
    more = byte >= 0x80;
  }
  return bytes.subarray(at, at + length);
}

function readAudioSpecificConfig(bytes: Buffer): AacConfig {
  let at = 0;
  const take = (count: number): number => {
    let value = 0;
    for (const end = at + count; at < end; at++) {
      value = value * 2 + ((bytes.readUInt8(at >> 3) >> (7 - (at & 7))) & 1);
    }
    return value;
  };
  const takeType = () => {
    const type = take(5);
    return type === 31 ? 32 + take(6) : type;
  };
  const takeRate = () => {
    const index = take(4);
    return index === 15 ? take(24) : AAC_RATES[index];
  };
  const outer = takeType();
  const rate = takeRate();
  take(4);
  let type = outer;
  if (EXTENSIONS.has(outer)) {
    takeRate();
    type = takeType();
  }
  if (!AAC_TYPES.has(type)) throw notAac(`MPEG-4 audio object type ${type}`);
  if (rate === undefined || rate === 0) throw new MediaError('is a broken m4a: its AAC has no sample rate');
  return { rate, frameSamples: take(1) === 1 ? 960 : 1024 };
}

function notAac(codec: string): MediaError {
  return new MediaError(`is an m4a whose codec is not AAC (${codec})`);
}
