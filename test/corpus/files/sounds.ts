/** Sounds that several lists begin with. Noise, so that variable bit rates vary; seeded, so that it is always the same. */

import type { Kit } from '../kit.js';

/** The `lavfi` input of a sound, in ffmpeg's options. */
export function noise(seconds: number, rate: number): readonly string[] {
  return ['-f', 'lavfi', '-i', `anoisesrc=r=${rate}:d=${seconds}:a=0.2:c=pink:s=1`];
}

/** A tone, which is quicker to make and to encode, for what is long. */
export function tone(seconds: number, rate: number): readonly string[] {
  return ['-f', 'lavfi', '-i', `sine=r=${rate}:d=${seconds}`];
}

/** A tone of exactly so many samples. */
export function samples(count: number, rate: number): readonly string[] {
  return [...tone(Math.ceil(count / rate) + 1, rate), '-af', `atrim=end_sample=${count}`];
}

/** 16 bits, mono, 8 kHz unless other options say so. */
export function wave(kit: Kit, seconds: number, ...args: readonly string[]): Promise<Buffer> {
  return kit.sound('wav', ...noise(seconds, 8_000), ...args);
}

export function flac(kit: Kit): Promise<Buffer> {
  return kit.sound('flac', ...noise(2.5, 8_000));
}

/** A picture to embed. */
export function cover(kit: Kit, size = 64): Promise<Buffer> {
  return kit.image('jpg', '-seed', '7', '-size', `${size}x${size}`, 'plasma:red-blue', '-quality', '90');
}

/** Fills a file that is an ID3v2 tag and then frames up to a size, with padding inside the tag. */
export function id3Padded(frames: Buffer, size: number): Buffer {
  return Buffer.concat([id3(Buffer.alloc(size - frames.length - 10)), frames]);
}

/** An ID3v2.4 tag around a body, without a check of what is in it. */
export function id3(body: Buffer, version = 4): Buffer {
  const size = [21, 14, 7, 0].map((shift) => (body.length >> shift) & 0x7f);
  return Buffer.concat([Buffer.from('ID3', 'latin1'), Buffer.from([version, 0, 0, ...size]), body]);
}

/** An ID3v1 tag, which stands at the end. */
export const ID3V1 = Buffer.concat([
  Buffer.from('TAGTitle', 'latin1'),
  Buffer.alloc(119, 0),
  Buffer.from([12]),
]);

/** An APEv2 tag of one item, with header and footer. */
export function ape(): Buffer {
  const item = Buffer.from('\x05\0\0\0\0\0\0\0Title\0words', 'latin1');
  const edge = (flags: number) => {
    const bytes = Buffer.alloc(32);
    bytes.write('APETAGEX', 'latin1');
    bytes.writeUInt32LE(2_000, 8);
    bytes.writeUInt32LE(item.length + 32, 12);
    bytes.writeUInt32LE(1, 16);
    bytes.writeUInt32LE(flags, 20);
    return bytes;
  };
  return Buffer.concat([edge(0xa0000000), item, edge(0x80000000)]);
}

export const padded = (bytes: Buffer, size: number) =>
  Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);

export const part = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share));
