/** Media made in code: what no encoder would write, and what would be too large to keep. */

import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import { MediaError } from '../../../src/domain/media/media.js';

export function fixture(name: string): Buffer {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url));
}

export function u16le(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from([value & 255, (value >> 8) & 255])));
}

export function u32le(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u32be(value: number): Buffer {
  return u32le(value).reverse();
}

export interface WavOptions {
  readonly samples?: number;
  readonly rate?: number;
  readonly channels?: number;
  readonly bits?: number;
  readonly codec?: number;
  /** Wraps the codec into WAVE_FORMAT_EXTENSIBLE. */
  readonly extensible?: boolean;
  readonly byteRate?: number;
  readonly blockBytes?: number;
  /** What the headers claim, where it is not the truth. */
  readonly dataClaim?: number;
  readonly riffClaim?: number;
  /** A chunk of an odd size, padded, before the others. */
  readonly odd?: boolean;
}

export function wav(options: WavOptions = {}): Buffer {
  const { samples = 20_000, rate = 8_000, channels = 1, bits = 8, codec = 1, extensible = false } = options;
  const blockBytes = options.blockBytes ?? (channels * bits) / 8;
  const byteRate = options.byteRate ?? (rate * channels * bits) / 8;
  const plain = [
    u16le(extensible ? 0xfffe : codec, channels),
    u32le(rate),
    u32le(byteRate),
    u16le(blockBytes, bits),
  ];
  const more = [u16le(22, bits), u32le(0), u16le(codec), Buffer.from('000000001000800000aa00389b71', 'hex')];
  const fmt = Buffer.concat(extensible ? [...plain, ...more] : plain);
  const data = Buffer.alloc((samples * channels * bits) / 8, 0x80);
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    ...(options.odd ? [Buffer.from('junk'), u32le(3), Buffer.alloc(4)] : []),
    Buffer.from('fmt '),
    u32le(fmt.length),
    fmt,
    Buffer.from('data'),
    u32le(options.dataClaim ?? data.length),
    data,
  ]);
  return Buffer.concat([Buffer.from('RIFF'), u32le(options.riffClaim ?? body.length), body]);
}

export function pngChunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([u32be(data.length), named, u32be(crc32(named))]);
}

/** A grey PNG of one bit a pixel. With `claim`, the header says so and the pixels are few. */
export function png(width: number, height: number, more: { claim?: boolean; before?: Buffer } = {}): Buffer {
  const rows = more.claim ? 1 : height;
  const columns = more.claim ? 8 : width;
  const header = Buffer.concat([u32be(width), u32be(height), Buffer.from([1, 0, 0, 0, 0])]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    more.before ?? Buffer.alloc(0),
    pngChunk('IDAT', deflateSync(Buffer.alloc(rows * (1 + Math.ceil(columns / 8))))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A real JPEG whose frame header claims another size; its pixels are those of the fixture. */
export function jpeg(width: number, height: number, name = 'baseline.jpg'): Buffer {
  const bytes = Buffer.from(fixture(name));
  const frame =
    [0xc0, 0xc2].map((code) => bytes.indexOf(Buffer.from([0xff, code]))).find((at) => at > 0) ?? 0;
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

/** An EXIF block (TIFF header and one directory) that says how the picture is turned. */
export function exif(orientation: number, order: 'II' | 'MM' = 'MM'): Buffer {
  const big = Buffer.concat([
    Buffer.from('MM\0*\0\0\0\x08', 'latin1'),
    Buffer.from([0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]),
  ]);
  if (order === 'MM') return big;
  return Buffer.concat([
    Buffer.from('II*\0\x08\0\0\0', 'latin1'),
    Buffer.from([1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]),
  ]);
}

/** Puts an APP1 segment right behind the start of a JPEG. */
export function withApp1(bytes: Buffer, data: Buffer): Buffer {
  const segment = Buffer.concat([
    Buffer.from([0xff, 0xe1, (data.length + 2) >> 8, (data.length + 2) & 255]),
    data,
  ]);
  return Buffer.concat([bytes.subarray(0, 2), segment, bytes.subarray(2)]);
}

/** Silent frames of 8 kbit/s at 8000 Hz (MPEG-2.5, 72 ms in 72 bytes), each with the given header bits. */
export function mp3(frames: number): Buffer {
  const frame = Buffer.alloc(72);
  frame.set([0xff, 0xe3, 0x18, 0xc4]);
  return Buffer.concat(Array.from({ length: frames }, () => frame));
}

/** ADTS frames of 16 bytes at 8000 Hz (LC, mono, 128 ms each). */
export function adts(frames: number): Buffer {
  const frame = Buffer.alloc(16, 0x21);
  frame.set([0xff, 0xf1, 0x6c, 0x40, 0x02, 0x1f, 0xfc]);
  return Buffer.concat(Array.from({ length: frames }, () => frame));
}

/** A copy with some bytes overwritten at an offset. */
export function patch(bytes: Buffer, at: number, ...values: number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
}

/** The detail of the MediaError that an inspection ends with; any other error goes on, none is said. */
export async function refusal(inspect: () => unknown): Promise<string> {
  try {
    return `taken: ${JSON.stringify(await inspect())}`;
  } catch (error) {
    if (error instanceof MediaError) return error.detail;
    throw error;
  }
}
