/**
 * The length of a WAV sound (Microsoft/IBM "Multimedia Programming Interface", 1991; RFC 2361 for the codecs; EBU Tech 3306
 * for RF64), and a header that says it.
 */

import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { id3v2Length } from './tags.js';

const PCM = 0x0001;
const FLOAT = 0x0003;
const A_LAW = 0x0006;
const MU_LAW = 0x0007;
const EXTENSIBLE = 0xfffe;

/** Bytes of a sample of one channel, by codec; `null` for bits that do not go with it. PCM of 20 bits stands in three bytes. */
const SAMPLE_BYTES: ReadonlyMap<number, (bits: number) => number | null> = new Map<
  number,
  (bits: number) => number | null
>([
  [PCM, (bits) => (bits >= 1 && bits <= 32 ? Math.ceil(bits / 8) : null)],
  [FLOAT, (bits) => (bits === 32 || bits === 64 ? bits / 8 : null)],
  [A_LAW, () => 1],
  [MU_LAW, () => 1],
]);

/** The end of a KSDATAFORMAT_SUBTYPE GUID that wraps a plain format tag. */
const SUBTYPE_TAIL = Buffer.from('000000001000800000aa00389b71', 'hex');
/** That of ambisonics, and one that a muxer wrote four bytes too far behind: ffmpeg reads both. */
const AMBISONIC_TAIL = Buffer.from('00002107d3118644c8c1ca000000', 'hex');
const SHIFTED_TAIL = Buffer.from('00000000000000001000800000aa', 'hex');

/** Samples a second that a sound can have; outside, the header is not to be believed. */
const RATES = { min: 1_000, max: 768_000 } as const;

/** As many as ffmpeg takes; each block and its bytes a second then fit their fields. */
const MAX_CHANNELS = 512;

/** Far more than a sound file has; keeps a file of nothing but empty chunks from costing time. */
const MAX_CHUNKS = 1_000;

/**
 * Writers that cannot go back to fill in a length leave 0xffffffff, 0x7fffffff, 2,000,000,000 and the like. The longest sound
 * that is taken has less than this (300 s of 192 kHz, stereo, 32 bits), so that it is not the length of a file that was cut.
 */
const PLACEHOLDER_BYTES = 0x20000000;

const FORM_BYTES = 12;
const RIFF_SIZE_AT = 4;

interface Chunk {
  readonly id: string;
  /** Where its body begins. */
  readonly at: number;
  readonly claimed: number;
}

/** Where the form begins, behind an ID3v2 tag if there is one; `null` where there is none. */
export function findWav(bytes: Buffer): number | null {
  const at = id3v2Length(bytes, 0);
  const isForm = /^(?:RIFF|RF64|BW64)$/.test(bytes.toString('latin1', at, at + 4));
  return isForm && bytes.toString('latin1', at + 8, at + FORM_BYTES) === 'WAVE' ? at : null;
}

/**
 * Seconds of sound, from the bytes that are there. Fields that are wrong, and that `fmt ` and the sound itself do not need,
 * are put right in `bytes`, which stay as many.
 */
export function measureWav(bytes: Buffer, forgive: Forgive): number {
  const start = findWav(bytes) ?? 0;
  const form = bytes.subarray(start);
  const chunks = readChunks(form);
  const format = chunks.find(({ id }) => id === 'fmt ');
  const data = chunks.find(({ id }) => id === 'data');
  if (format === undefined || data === undefined) throw incomplete(form, chunks.at(-1));
  const { rate, blockBytes } = readFormat(
    form.subarray(format.at, Math.min(format.at + format.claimed, data.at)),
    forgive,
  );
  const large = readLarge(form, chunks, forgive);
  const length = lengthOf(form, data, large ?? data.claimed);
  mendLengths(form, data, length, large !== null ? () => {} : forgive);
  if (start > 0) {
    forgive({ what: 'begins with an ID3 tag, which a WAV has behind its sound', mended: true });
    bytes.copyWithin(0, start).fill(0, form.length);
  }
  return Math.floor(length / blockBytes) / rate;
}

/** The chunks up to the sound. What follows it is not read. */
function readChunks(form: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = FORM_BYTES; at + 8 <= form.length; ) {
    const id = form.toString('latin1', at, at + 4);
    const claimed = form.readUInt32LE(at + 4);
    if (chunks.length === MAX_CHUNKS) throw new MediaError(`is a WAV with more than ${MAX_CHUNKS} chunks`);
    chunks.push({ id, at: at + 8, claimed });
    if (id === 'data') break;
    at += 8 + claimed + (claimed % 2);
  }
  return chunks;
}

function incomplete(form: Buffer, last: Chunk | undefined): MediaError {
  if (last !== undefined && last.id !== 'data' && last.at + last.claimed > form.length) {
    return cutShort(`"${last.id.replace(/[^\x20-\x7e]/g, '?')}"`, last.claimed, form.length - last.at);
  }
  return new MediaError('is a broken WAV: it needs a "fmt " chunk and then a "data" chunk');
}

function cutShort(chunk: string, claimed: number, present: number): MediaError {
  return new MediaError(
    `is a WAV that is cut short: its ${chunk} chunk claims ${claimed} bytes, there are ${present}; send the whole file`,
  );
}

/** The length that RF64 has in a chunk of its own, since it may have 64 bits; `null` in RIFF, which RF64 is made to. */
function readLarge(form: Buffer, chunks: readonly Chunk[], forgive: Forgive): number | null {
  const name = form.toString('latin1', 0, 4);
  if (name === 'RIFF') return null;
  const sizes = chunks.find(({ id }) => id === 'ds64');
  if (sizes === undefined || sizes.claimed < 16)
    throw new MediaError(`is a broken ${name}: it has no "ds64" chunk`);
  const claimed = Number(form.readBigUInt64LE(sizes.at + 8));
  form.write('RIFF', 0, 'latin1');
  form.write('JUNK', sizes.at - 8, 'latin1');
  forgive({ what: `is ${name}, a WAV for more than 4 GB`, mended: true });
  return claimed;
}

/** How much sound there is: what is claimed, or all up to the end where that is no length or the rest says that it is wrong. */
function lengthOf(form: Buffer, data: Chunk, claimed: number): number {
  const present = form.length - data.at;
  if (claimed > 0 && claimed <= present) return claimed;
  const riff = form.readUInt32LE(RIFF_SIZE_AT) + 8;
  // Some writers count the eight bytes of the RIFF header as well.
  const isWhole = riff === form.length || riff === form.length + 8;
  if (claimed === 0 || claimed >= PLACEHOLDER_BYTES || isWhole) return present;
  throw cutShort('"data"', claimed, present);
}

function mendLengths(form: Buffer, data: Chunk, length: number, forgive: Forgive): void {
  if (data.claimed !== length) {
    forgive({
      what: `has a "data" chunk that claims ${data.claimed} bytes, there are ${length}`,
      mended: true,
    });
    form.writeUInt32LE(length, data.at - 4);
  }
  const riff = form.readUInt32LE(RIFF_SIZE_AT);
  if (riff + 8 < data.at + length || riff + 8 > form.length) {
    const present = form.length - 8;
    forgive({ what: `has a RIFF header that claims ${riff} bytes, there are ${present}`, mended: true });
    form.writeUInt32LE(present, RIFF_SIZE_AT);
  }
}

function readFormat(format: Buffer, forgive: Forgive): { rate: number; blockBytes: number } {
  if (format.length < 16) throw new MediaError(`is a broken WAV: a "fmt " chunk of ${format.length} bytes`);
  const codec = readCodec(format, forgive);
  const sampleBytes = SAMPLE_BYTES.get(codec);
  if (sampleBytes === undefined) {
    throw new MediaError(
      `is a WAV with codec 0x${codec.toString(16).padStart(4, '0')}; only PCM, float, A-law and mu-law are taken`,
    );
  }
  const channels = format.readUInt16LE(2);
  const rate = format.readUInt32LE(4);
  const bits = format.readUInt16LE(14);
  const width = sampleBytes(bits);
  if (width === null || channels === 0 || channels > MAX_CHANNELS || rate < RATES.min || rate > RATES.max) {
    throw new MediaError(
      `is a WAV whose header makes no sense: ${channels} channels, ${bits} bits, ${rate} Hz`,
    );
  }
  const blockBytes = channels * width;
  const block = format.readUInt16LE(12);
  if (width === 3 && block === channels * 4) {
    throw new MediaError(
      'is a WAV with 24 bits in four bytes, which programs read differently; write three or 32 bits',
    );
  }
  if (block !== blockBytes) {
    forgive({
      what: `has a header that claims blocks of ${block} bytes, they have ${blockBytes}`,
      mended: true,
    });
    format.writeUInt16LE(blockBytes, 12);
  }
  const byteRate = format.readUInt32LE(8);
  if (byteRate !== rate * blockBytes) {
    forgive({
      what: `has a header that claims ${byteRate} bytes a second, there are ${rate * blockBytes}`,
      mended: true,
    });
    format.writeUInt32LE(rate * blockBytes, 8);
  }
  return { rate, blockBytes };
}

/** The format tag, or the one inside WAVEFORMATEXTENSIBLE's GUID. */
function readCodec(format: Buffer, forgive: Forgive): number {
  const tag = format.readUInt16LE(0);
  if (tag !== EXTENSIBLE || format.length < 40) return tag;
  const tail = format.subarray(26, 40);
  if (tail.equals(SHIFTED_TAIL)) {
    forgive({ what: 'names its codec by a GUID that is not quite the one it should be', mended: true });
    SUBTYPE_TAIL.copy(tail);
  }
  return tail.equals(SUBTYPE_TAIL) || tail.equals(AMBISONIC_TAIL) ? format.readUInt16LE(24) : tag;
}
