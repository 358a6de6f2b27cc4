/** AAC in ADTS frames: rates, tags, checksums, limits, damage. */

import { patch } from '../../domain/media/make.js';
import { files, type Kit } from '../kit.js';
import { ape, ID3V1, id3, id3Padded, noise, tone } from './sounds.js';

const aac = (kit: Kit, seconds: number, rate: number, ...args: readonly string[]) =>
  kit.sound('aac', ...noise(seconds, rate), '-ac', '1', '-b:a', '24k', ...args);

const plain = (kit: Kit) => aac(kit, 2.5, 16_000);

/** The length that a header gives its frame. */
const lengthAt = (bytes: Buffer, at: number) => (bytes.readUInt32BE(at + 2) >>> 5) & 0x1fff;

/** The first frames of a longer stream. */
async function frames(kit: Kit, count: number, rate: number): Promise<Buffer> {
  const bytes = await kit.sound('aac', ...tone(count > 1_000 ? 301 : 3, rate), '-ac', '1', '-b:a', '16k');
  let end = 0;
  for (let i = 0; i < count; i++) end += lengthAt(bytes, end);
  return bytes.subarray(0, end);
}

/** Each frame with a flag that a checksum follows the header, and one (of zeros: it is not the frame that is judged). */
function withChecksums(bytes: Buffer): Buffer {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at) + 2;
    const header = Buffer.from(bytes.subarray(at, at + 7));
    header.writeUInt8(header.readUInt8(1) & 0xfe, 1);
    const fields = header.readUInt32BE(2);
    header.writeUInt32BE(((fields & ~(0x1fff << 5)) | (length << 5)) >>> 0, 2);
    out.push(header, Buffer.alloc(2), bytes.subarray(at + 7, at + length - 2));
    at += length - 2;
  }
  return Buffer.concat(out);
}

/** MPEG-2 instead of MPEG-4, in each header. */
function asMpeg2(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 0; at < copy.length; at += lengthAt(copy, at)) {
    copy.writeUInt8(copy.readUInt8(at + 1) | 0x08, at + 1);
  }
  return copy;
}

const FORMS = files('audio', {
  ...Object.fromEntries(
    [8_000, 16_000, 22_050, 44_100, 48_000, 96_000].map((rate) => [
      `aac ${rate} Hz, mono`,
      (kit: Kit) => aac(kit, 2.3, rate),
    ]),
  ),
  'aac stereo': (kit) => aac(kit, 2.5, 44_100, '-ac', '2', '-b:a', '48k'),
  'aac 5.1': (kit) => aac(kit, 2.5, 16_000, '-ac', '6', '-b:a', '96k'),
  'aac Main': (kit) => aac(kit, 2.5, 16_000, '-profile:a', 'aac_main', '-strict', '-2'),
  'aac LTP': (kit) => aac(kit, 2.5, 16_000, '-profile:a', 'aac_ltp', '-strict', '-2'),
  'aac MPEG-2': async (kit) => asMpeg2(await plain(kit)),
  'aac with checksums': async (kit) => withChecksums(await plain(kit)),
  'aac ID3v2 in front': async (kit) => Buffer.concat([id3(Buffer.alloc(3_000)), await plain(kit)]),
  'aac ID3v1 and APE behind': async (kit) => Buffer.concat([await plain(kit), ape(), ID3V1]),
  'aac two files in one': async (kit) => Buffer.concat([await plain(kit), await plain(kit)]),
  'aac begins in a frame': async (kit) => (await plain(kit)).subarray(20),
});

const BORDERS = files('audio', {
  'aac 1.9 s': (kit) => aac(kit, 1.85, 16_000),
  'aac 124 frames of 16 ms, 1.984 s': (kit) => frames(kit, 124, 64_000),
  'aac 125 frames of 16 ms, 2 s': (kit) => frames(kit, 125, 64_000),
  'aac 9,375 frames of 32 ms, 300 s': (kit) => frames(kit, 9_375, 32_000),
  'aac 9,376 frames of 32 ms, 300.032 s': (kit) => frames(kit, 9_376, 32_000),
  'aac 5,000,000 bytes': (kit) => filled(kit, 5_000_000),
  'aac 5,000,001 bytes': (kit) => filled(kit, 5_000_001),
});

/** Copies of one file, and a tag for the rest: ffprobe takes much padding in front of ADTS for an mp3. */
async function filled(kit: Kit, size: number): Promise<Buffer> {
  const sound = await aac(kit, 2, 96_000, '-ac', '2', '-b:a', '500k');
  const copies = Math.floor((size - 10) / sound.length);
  return id3Padded(Buffer.concat(Array.from({ length: copies }, () => sound)), size);
}

const BROKEN = files('audio', {
  'aac cut in the last frame': async (kit) => (await plain(kit)).subarray(0, -20),
  'aac cut inside its tag': async (kit) => id3Padded(await plain(kit), 60_000).subarray(0, 30_000),
  'aac a hole of 10 KB': async (kit) =>
    Buffer.concat([await plain(kit), Buffer.alloc(10_000, 0x2e), await plain(kit)]),
  'aac one frame': async (kit) => frames(kit, 1, 16_000),
  'aac one second, and a header that says four blocks a frame': async (kit) => {
    const bytes = await aac(kit, 1, 16_000);
    return patch(bytes, 6, (bytes[6] ?? 0) | 3);
  },
});

export const ADTS = [...FORMS, ...BORDERS, ...BROKEN];
