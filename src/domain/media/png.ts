/** The size of a PNG picture (W3C PNG, third edition), and whether the file is whole. */

import { crc32 } from 'node:zlib';
import { isTurned } from './exif.js';
import type { PixelSize } from './jpeg.js';
import { MediaError } from './media.js';

/** Length, type and CRC around a chunk's data (5.3). */
const AROUND = 12;
const SIGNATURE_BYTES = 8;

/** 11.2.1: the bit depths that go with each colour type. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Walks the chunks from IHDR to IEND. What follows IEND is not read. */
export function readPng(bytes: Buffer): PixelSize {
  let size: PixelSize | null = null;
  let turned = false;
  let hasData = false;
  let at = SIGNATURE_BYTES;
  for (;;) {
    if (at + AROUND > bytes.length) throw cutShort();
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw new MediaError(`is a broken PNG: no chunk at offset ${at}`);
    if (length > bytes.length - at - AROUND) throw cutShort();
    const data = bytes.subarray(at + 8, at + 8 + length);
    checkCrc(bytes, at, type, length);
    if (size === null && type !== 'IHDR') throw new MediaError(`is a PNG that begins with ${type}, not IHDR`);
    if (type === 'IHDR') {
      if (size !== null) throw new MediaError('is a PNG with a second IHDR');
      size = readHeader(data);
    }
    if (type === 'IDAT') hasData = true;
    if (type === 'eXIf') turned = isTurned(data);
    if (type === 'IEND') break;
    at += AROUND + length;
  }
  if (size === null || !hasData) throw new MediaError('is a PNG without a picture in it');
  return turned ? { width: size.height, height: size.width } : size;
}

/** Decoders stop at a wrong CRC in a critical chunk (an upper-case first letter, 5.4) and may pass over others. */
function checkCrc(bytes: Buffer, at: number, type: string, length: number): void {
  if (type.charAt(0) !== type.charAt(0).toUpperCase()) return;
  const end = at + 8 + length;
  if (crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) {
    throw new MediaError(`is a damaged PNG: the checksum of ${type} at offset ${at} is wrong`);
  }
}

function readHeader(data: Buffer): PixelSize {
  if (data.length !== 13) throw new MediaError(`is a broken PNG: an IHDR of ${data.length} bytes`);
  const width = data.readUInt32BE(0);
  const height = data.readUInt32BE(4);
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = data.subarray(8);
  if (width === 0 || height === 0) throw new MediaError(`is a PNG of ${width}x${height} px`);
  if (!DEPTHS[colour]?.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1) {
    throw new MediaError('is a broken PNG: its header has values that do not exist');
  }
  return { width, height };
}

function cutShort(): MediaError {
  return new MediaError('is a PNG that is cut short: its end chunk is missing');
}
