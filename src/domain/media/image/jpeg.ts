/** The size of a JPEG picture (ITU-T T.81 Annex B), and whether the file is whole. */

import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { isTurned } from './exif.js';

/** Of the picture as it is shown. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

const PREFIX = 0xff;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP1 = 0xe1;
/** Codes up to this one stand alone: a stuffed zero, which is no marker, and TEM. So do the restarts of a scan. */
const TEM = 0x01;
const RST_FIRST = 0xd0;
const RST_LAST = 0xd7;
const EXIF = Buffer.from('Exif\0\0', 'latin1');

/** Baseline, extended sequential, progressive. The others are lossless or hierarchical. */
const COMMON_FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
/** The same with arithmetic coding, which libjpeg-turbo reads and browsers do not. */
const ARITHMETIC_FRAMES: ReadonlySet<number> = new Set([0xc9, 0xca]);

/** Far more than a picture has (restarts not counted); keeps empty segments without end from costing time. */
const MAX_SEGMENTS = 10_000;

/** In the range of SOF0..SOF15, but a Huffman table, reserved, and a table for arithmetic coding. */
const NOT_FRAMES: ReadonlySet<number> = new Set([0xc4, 0xc8, 0xcc]);

/** Walks the markers as libjpeg does, from the start of the image to its end. What follows the end is not read. */
export function readJpeg(bytes: Buffer, forgive: Forgive): PixelSize {
  let frame: PixelSize | null = null;
  let turned: boolean | null = null;
  let scans = 0;
  let segments = 0;
  let at = 2;
  for (;;) {
    at = nextMarker(bytes, at);
    const marker = bytes.readUInt8(at);
    at += 1;
    if (marker === EOI) break;
    if (marker === SOI) throw new MediaError(`is a broken JPEG: a second image begins at offset ${at - 2}`);
    segments += 1;
    if (segments > MAX_SEGMENTS) throw new MediaError(`is a JPEG with more than ${MAX_SEGMENTS} segments`);
    const segment = readSegment(bytes, at);
    at += 2 + segment.length;
    if (marker >= 0xc0 && marker <= 0xcf && !NOT_FRAMES.has(marker)) {
      if (frame !== null) throw new MediaError('is a JPEG with more than one frame header');
      frame = readFrame(marker, segment, forgive);
    } else if (marker === SOS) {
      if (frame === null) throw new MediaError('is a broken JPEG: picture data without a frame header');
      scans += 1;
    } else if (marker === APP1 && segment.subarray(0, EXIF.length).equals(EXIF)) {
      // Of several blocks the first counts, as in libexif and ImageMagick.
      turned ??= isTurned(segment.subarray(EXIF.length));
    }
  }
  if (frame === null || scans === 0) throw new MediaError('is a JPEG without a picture in it');
  return turned ? { width: frame.height, height: frame.width } : frame;
}

/**
 * The offset of the code of the next marker that matters. Whatever is none is passed over: entropy-coded data
 * with its stuffed zeros (B.1.1.5) and restarts, fill bytes, stray bytes between segments.
 */
function nextMarker(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(PREFIX, from); at !== -1; at = bytes.indexOf(PREFIX, at)) {
    at += 1;
    // Fill bytes (B.1.1.2): a search for each would take long.
    while (bytes[at] === PREFIX) at += 1;
    const code = bytes[at] ?? 0;
    if (code > TEM && (code < RST_FIRST || code > RST_LAST)) return at;
  }
  throw cutShort();
}

function readSegment(bytes: Buffer, at: number): Buffer {
  if (at + 2 > bytes.length) throw cutShort();
  const length = bytes.readUInt16BE(at);
  if (length < 2) throw new MediaError(`is a broken JPEG: a segment of ${length} bytes at offset ${at}`);
  if (at + length > bytes.length) throw cutShort();
  return bytes.subarray(at + 2, at + length);
}

function readFrame(marker: number, segment: Buffer, forgive: Forgive): PixelSize {
  if (ARITHMETIC_FRAMES.has(marker)) {
    forgive({ what: 'is a JPEG with arithmetic coding, which few programs read', mended: false });
  } else if (!COMMON_FRAMES.has(marker)) {
    throw new MediaError(
      'is a lossless or hierarchical JPEG, which few decoders read; write a baseline JPEG',
    );
  }
  if (segment.length < 6) throw new MediaError('is a broken JPEG: its frame header is too short');
  const height = segment.readUInt16BE(1);
  const width = segment.readUInt16BE(3);
  if (width === 0 || height === 0) throw new MediaError('is a JPEG that does not say its size');
  return { width, height };
}

function cutShort(): MediaError {
  return new MediaError('is a JPEG that is cut short: its end marker is missing');
}
