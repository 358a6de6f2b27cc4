/** The length of a WAV sound (Microsoft/IBM "Multimedia Programming Interface", 1991; RFC 2361 for the codecs). */

import { MediaError } from './media.js';

const PCM = 0x0001;
const FLOAT = 0x0003;
const A_LAW = 0x0006;
const MU_LAW = 0x0007;
const EXTENSIBLE = 0xfffe;

/** Codecs with a fixed number of bits a sample, and which numbers they go with. */
const BITS: ReadonlyMap<number, readonly number[]> = new Map([
  [PCM, [8, 16, 24, 32]],
  [FLOAT, [32, 64]],
  [A_LAW, [8]],
  [MU_LAW, [8]],
]);

/** The end of a KSDATAFORMAT_SUBTYPE GUID that wraps a plain format tag. */
const SUBTYPE_TAIL = Buffer.from('000000001000800000aa00389b71', 'hex');

/** Samples a second that a sound can have; outside, the header is not to be believed. */
const RATES = { min: 1_000, max: 768_000 } as const;

/** Far more than a sound file has; keeps a file of nothing but empty chunks from costing time. */
const MAX_CHUNKS = 1_000;

interface Chunk {
  readonly id: string;
  readonly data: Buffer;
}

/** Seconds of sound, from the bytes that are there; a header that contradicts them or itself is refused. */
export function measureWav(bytes: Buffer): number {
  const form = readForm(bytes);
  const format = form.find(({ id }) => id === 'fmt ')?.data;
  const sound = form.find(({ id }) => id === 'data')?.data;
  if (format === undefined || sound === undefined) {
    throw new MediaError('is a broken WAV: it needs a "fmt " chunk and then a "data" chunk');
  }
  const { rate, blockBytes } = readFormat(format);
  return Math.floor(sound.length / blockBytes) / rate;
}

/** The chunks of the RIFF form up to the sound, whose sizes must all lie inside the file. What follows is not read. */
function readForm(bytes: Buffer): Chunk[] {
  if (bytes.length < 12) throw new MediaError('is a WAV that is cut short');
  const end = checkClaim('WAV', bytes.readUInt32LE(4), bytes.length - 8) + 8;
  const chunks: Chunk[] = [];
  let at = 12;
  while (at + 8 <= end) {
    const id = bytes.toString('latin1', at, at + 4);
    const length = checkClaim(
      `"${id.replace(/[^\x20-\x7e]/g, '?')}" chunk`,
      bytes.readUInt32LE(at + 4),
      end - at - 8,
    );
    if (chunks.length === MAX_CHUNKS) throw new MediaError(`is a WAV with more than ${MAX_CHUNKS} chunks`);
    chunks.push({ id, data: bytes.subarray(at + 8, at + 8 + length) });
    if (id === 'data') break;
    at += 8 + length + (length % 2);
  }
  return chunks;
}

/** Programs that write to a pipe leave 0xffffffff, since they cannot go back; such a length says nothing. */
function checkClaim(what: string, claimed: number, present: number): number {
  if (claimed <= present) return claimed;
  const hint = claimed === 0xffffffff ? ' (a streamed WAV: write it to a file again to set its length)' : '';
  throw new MediaError(
    `is a WAV whose header lies or that is cut short: its ${what} claims ${claimed} bytes, ` +
      `there are ${present}${hint}`,
  );
}

function readFormat(format: Buffer): { rate: number; blockBytes: number } {
  if (format.length < 16) throw new MediaError(`is a broken WAV: a "fmt " chunk of ${format.length} bytes`);
  const codec = readCodec(format);
  const channels = format.readUInt16LE(2);
  const rate = format.readUInt32LE(4);
  const bytesASecond = format.readUInt32LE(8);
  const blockBytes = format.readUInt16LE(12);
  const bits = format.readUInt16LE(14);
  const allowed = BITS.get(codec);
  if (allowed === undefined) {
    throw new MediaError(
      `is a WAV with codec 0x${codec.toString(16).padStart(4, '0')}; only PCM, float, A-law and mu-law are taken`,
    );
  }
  if (!allowed.includes(bits) || channels === 0 || rate < RATES.min || rate > RATES.max) {
    throw new MediaError(`is a WAV whose header lies: ${channels} channels, ${bits} bits, ${rate} Hz`);
  }
  if (blockBytes !== (channels * bits) / 8 || bytesASecond !== rate * blockBytes) {
    throw new MediaError(
      `is a WAV whose header lies: ${bytesASecond} bytes a second in blocks of ${blockBytes} ` +
        `do not go with ${channels} channels, ${bits} bits, ${rate} Hz`,
    );
  }
  return { rate, blockBytes };
}

/** The format tag, or the one inside WAVEFORMATEXTENSIBLE's GUID. */
function readCodec(format: Buffer): number {
  const tag = format.readUInt16LE(0);
  if (tag !== EXTENSIBLE) return tag;
  if (format.length < 40 || !format.subarray(26, 40).equals(SUBTYPE_TAIL)) return tag;
  return format.readUInt16LE(24);
}
