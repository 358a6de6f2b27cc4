/** The size of a PNG picture (W3C PNG, third edition), and whether the file is whole. */

import { crc32 } from 'node:zlib';
import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { isTurned } from './exif.js';
import type { PixelSize } from './jpeg.js';

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

/** The colour type whose pixels are numbers of a palette. */
const INDEXED = 3;
const BYTES_AN_ENTRY = 3;

/** 4.8.1: what a decoder must know; another chunk that calls itself critical means a picture it cannot show. */
const CRITICAL: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);

interface Header extends PixelSize {
  readonly depth: number;
  readonly colour: number;
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

/** Walks the chunks from IHDR to IEND. What follows IEND is not read. */
export function readPng(bytes: Buffer, forgive: Forgive): PixelSize {
  const chunks = walkChunks(bytes, forgive);
  const first = chunks.next();
  if (first.done || first.value.type !== 'IHDR') {
    throw new MediaError(`is a PNG that begins with ${first.value?.type ?? 'nothing'}, not IHDR`);
  }
  const header = readHeader(first.value.data);
  let turned = false;
  let hasPalette = false;
  let hasData = false;
  let previous = 'IHDR';
  for (const { type, data } of chunks) {
    if (type === 'IHDR') throw new MediaError('is a PNG with a second IHDR');
    if (type === 'PLTE') {
      if (hasPalette || hasData) throw new MediaError('is a broken PNG: its PLTE comes twice or too late');
      checkPalette(data, header);
      hasPalette = true;
    }
    if (type === 'IDAT') {
      if (hasData && previous !== 'IDAT') {
        throw new MediaError('is a broken PNG: there is another chunk between its IDATs');
      }
      hasData = true;
    }
    if (type === 'eXIf') turned = isTurned(data);
    previous = type;
  }
  if (!hasData) throw new MediaError('is a PNG without a picture in it');
  if (header.colour === INDEXED && !hasPalette) throw new MediaError('is a broken PNG: its PLTE is missing');
  const { width, height } = header;
  return turned ? { width: height, height: width } : { width, height };
}

/** Each chunk up to IEND, inside the file, critical ones with the right checksum, the others with one that is put right. */
function* walkChunks(bytes: Buffer, forgive: Forgive): Generator<Chunk, undefined> {
  for (let at = SIGNATURE_BYTES; ; ) {
    if (at + AROUND > bytes.length) throw cutShort();
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw new MediaError(`is a broken PNG: no chunk at offset ${at}`);
    if (length > bytes.length - at - AROUND) throw cutShort();
    checkChunk(bytes, at, type, length, forgive);
    if (type === 'IEND') return;
    yield { type, data: bytes.subarray(at + 8, at + 8 + length) };
    at += AROUND + length;
  }
}

/** Decoders stop at a wrong CRC in a critical chunk (an upper-case first letter, 5.4); some stop at others, too. */
function checkChunk(bytes: Buffer, at: number, type: string, length: number, forgive: Forgive): void {
  const isCritical = type.charAt(0) === type.charAt(0).toUpperCase();
  if (isCritical && !CRITICAL.has(type)) {
    throw new MediaError(`is a PNG with a chunk that few decoders know: ${type} at offset ${at}`);
  }
  const end = at + 8 + length;
  const checksum = crc32(bytes.subarray(at + 4, end));
  if (checksum === bytes.readUInt32BE(end)) return;
  const what = `the checksum of ${type} at offset ${at} is wrong`;
  if (isCritical) throw new MediaError(`is a damaged PNG: ${what}`);
  forgive({ what: `is a PNG in which ${what}`, mended: true });
  bytes.writeUInt32BE(checksum, end);
}

function readHeader(data: Buffer): Header {
  if (data.length !== 13) throw new MediaError(`is a broken PNG: an IHDR of ${data.length} bytes`);
  const width = data.readUInt32BE(0);
  const height = data.readUInt32BE(4);
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = data.subarray(8);
  if (width === 0 || height === 0) throw new MediaError(`is a PNG of ${width}x${height} px`);
  if (!DEPTHS[colour]?.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1) {
    throw new MediaError('is a broken PNG: its header has values that do not exist');
  }
  return { width, height, depth, colour };
}

/** 11.2.2: 1 to 256 entries, and no more than the bit depth can name. Elsewhere a palette is only a suggestion. */
function checkPalette(data: Buffer, { depth, colour }: Header): void {
  if (colour !== INDEXED) return;
  const entries = data.length / BYTES_AN_ENTRY;
  if (!Number.isInteger(entries) || entries < 1 || entries > 2 ** depth) {
    throw new MediaError(`is a broken PNG: a PLTE of ${data.length} bytes`);
  }
}

function cutShort(): MediaError {
  return new MediaError('is a PNG that is cut short: its end chunk is missing');
}
