/** PNG pictures: every form that encoders write, every limit from both sides, and what is cut or broken. */

import { deflateSync } from 'node:zlib';
import { exif, patch, png, pngChunk, u32be } from '../../domain/media/make.js';
import { files, type Kit } from '../kit.js';

/** A picture as `convert` writes it; the format's prefix chooses the colour type. */
function made(kit: Kit, format: string, ...args: readonly string[]): Promise<Buffer> {
  return kit.image(format, '-seed', '7', '-size', '400x320', 'plasma:red-blue', ...args);
}

const rgb = (kit: Kit, ...args: string[]) => made(kit, 'png24', ...args);
const palette = (kit: Kit) => made(kit, 'png8', '-colors', '16');
const TRANSPARENT = ['-alpha', 'set', '-channel', 'A', '-evaluate', 'set', '50%'];

/** Where the data of a chunk begins. */
const find = (bytes: Buffer, type: string) => bytes.indexOf(type, 8, 'latin1') + 4;

/** Puts chunks right behind the header, or before the end. */
const behindHeader = (bytes: Buffer, ...chunks: readonly Buffer[]) =>
  Buffer.concat([bytes.subarray(0, 33), ...chunks, bytes.subarray(33)]);
const beforeEnd = (bytes: Buffer, ...chunks: readonly Buffer[]) =>
  Buffer.concat([bytes.subarray(0, -12), ...chunks, bytes.subarray(-12)]);

/** Takes all chunks of a type out. */
function without(bytes: Buffer, type: string): Buffer {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) !== type) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

/** The picture data in chunks of a few bytes each, or of none, with something between them. */
function scattered(size: number, between: Buffer = Buffer.alloc(0)): Buffer {
  const pixels = Buffer.from(Array.from({ length: 300 * 39 }, (_, i) => (i % 39 === 0 ? 0 : i & 255)));
  const data = deflateSync(pixels);
  const chunks = Array.from({ length: Math.ceil(data.length / size) }, (_, i) => [
    pngChunk('IDAT', data.subarray(i * size, (i + 1) * size)),
    between,
  ]);
  return beforeEnd(without(png(300, 300), 'IDAT'), ...chunks.flat());
}

const FORMS = files('image', {
  'png RGB': (kit) => rgb(kit),
  'png RGBA': (kit) => made(kit, 'png32', ...TRANSPARENT),
  'png palette': (kit) => palette(kit),
  'png palette with transparency': (kit) => made(kit, 'png8', '-transparent', 'red'),
  'png grey': (kit) => made(kit, 'png', '-colorspace', 'Gray', '-depth', '8'),
  'png grey, 1 bit': (kit) => made(kit, 'png', '-monochrome'),
  'png grey with alpha': (kit) => made(kit, 'png', '-colorspace', 'Gray', ...TRANSPARENT),
  'png 16 bits': (kit) => made(kit, 'png48'),
  'png 16 bits with alpha': (kit) => made(kit, 'png64', ...TRANSPARENT),
  'png interlaced': (kit) => rgb(kit, '-interlace', 'PNG'),
  'png by ffmpeg': (kit) => kit.sound('png', '-f', 'lavfi', '-i', 'testsrc=s=400x320:d=1', '-frames:v', '1'),
  'png animated (APNG)': (kit) =>
    kit.sound('apng', '-f', 'lavfi', '-i', 'testsrc=s=400x320:d=1:r=4', '-plays', '0'),
  'png text chunks': (kit) =>
    rgb(kit, '-set', 'Title', 'a portrait', '-set', 'Comment', 'x'.repeat(5_000), '-density', '300'),
  'png text behind the picture': async (kit) =>
    beforeEnd(await rgb(kit), pngChunk('tEXt', Buffer.from('Comment\0late'))),
  'png an unknown private chunk': async (kit) =>
    behindHeader(await rgb(kit), pngChunk('prVt', Buffer.alloc(100))),
  'png picture in many chunks': () => scattered(7),
  'png picture in many chunks, empty ones between': () => scattered(7, pngChunk('IDAT', Buffer.alloc(0))),
  'png trailing bytes': async (kit) => Buffer.concat([await rgb(kit), Buffer.alloc(999, 0x41)]),
});

const ORIENTATIONS = files(
  'image',
  Object.fromEntries(
    [1, 3, 5, 6, 7, 8].map((turn) => [
      `png eXIf orientation ${turn}`,
      async (kit: Kit) =>
        behindHeader(await rgb(kit), pngChunk('eXIf', exif(turn, turn % 2 === 0 ? 'II' : 'MM'))),
    ]),
  ),
);

const SIZES: ReadonlyArray<readonly [number, number]> = [
  [300, 300],
  [299, 300],
  [300, 299],
  [750, 300],
  [751, 300],
  [300, 750],
  [300, 751],
  [1000, 2500],
  [1000, 2501],
  [2500, 1000],
  [2501, 1000],
  [4000, 4000],
];

/** A private chunk that fills a file up to a size. */
const fill = (bytes: Buffer, size: number) =>
  behindHeader(bytes, pngChunk('prVt', Buffer.alloc(size - bytes.length - 12)));

const BORDERS = files('image', {
  ...Object.fromEntries(SIZES.map(([w, h]) => [`png ${w}x${h}`, () => png(w, h)])),
  'png 10,000,000 bytes, chunk': async (kit) => fill(await rgb(kit), 10_000_000),
  'png 10,000,001 bytes, chunk': async (kit) => fill(await rgb(kit), 10_000_001),
  'png 10,000,000 bytes, trailing': async (kit) => padded(await rgb(kit), 10_000_000),
  'png 10,000,001 bytes, trailing': async (kit) => padded(await rgb(kit), 10_000_001),
});

const padded = (bytes: Buffer, size: number) => Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);

const CUTS = files('image', {
  'png cut: only the signature': async (kit) => (await rgb(kit)).subarray(0, 8),
  'png cut in the header': async (kit) => (await rgb(kit)).subarray(0, 20),
  'png cut behind the header': async (kit) => (await rgb(kit)).subarray(0, 33),
  'png cut at a tenth': async (kit) => part(await rgb(kit), 0.1),
  'png cut at a half': async (kit) => part(await rgb(kit), 0.5),
  'png cut, half the picture as a whole chunk': async (kit) => {
    const bytes = await rgb(kit);
    const at = find(bytes, 'IDAT');
    const data = bytes.subarray(at, at + bytes.readUInt32BE(at - 8));
    return Buffer.concat([bytes.subarray(0, at - 8), pngChunk('IDAT', part(data, 0.5))]);
  },
  'png interlaced cut at a half': async (kit) => part(await rgb(kit, '-interlace', 'PNG'), 0.5),
});

const part = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share));

/** A header with the numbers after width and height. */
const header = (width: number, height: number, ...rest: number[]) =>
  pngChunk('IHDR', Buffer.concat([u32be(width), u32be(height), Buffer.from(rest)]));

const withHeader = (bytes: Buffer, chunk: Buffer) =>
  Buffer.concat([bytes.subarray(0, 8), chunk, bytes.subarray(33)]);

const BROKEN = files('image', {
  'png claims 50000x50000': async (kit) => withHeader(await rgb(kit), header(50_000, 50_000, 8, 2, 0, 0, 0)),
  'png claims 2147483647x2147483647': async (kit) =>
    withHeader(await rgb(kit), header(0x7fffffff, 0x7fffffff, 8, 2, 0, 0, 0)),
  'png claims 0x320': async (kit) => withHeader(await rgb(kit), header(0, 320, 8, 2, 0, 0, 0)),
  'png a bit depth that does not exist': async (kit) =>
    withHeader(await rgb(kit), header(400, 320, 3, 2, 0, 0, 0)),
  'png a colour type that does not exist': async (kit) =>
    withHeader(await rgb(kit), header(400, 320, 8, 5, 0, 0, 0)),
  'png wrong checksum of the header': async (kit) => patch(await rgb(kit), 29, 1, 2, 3, 4),
  'png wrong checksum of the picture': async (kit) => {
    const bytes = await rgb(kit);
    return patch(bytes, find(bytes, 'IDAT') + 40, 0x55, 0x55);
  },
  'png wrong checksum of a text chunk': async (kit) => {
    const chunk = pngChunk('tEXt', Buffer.from('Comment\0x'));
    return behindHeader(await rgb(kit), patch(chunk, chunk.length - 1, 0xff));
  },
  'png without picture data': async (kit) => without(await rgb(kit), 'IDAT'),
  'png picture in chunks with another between': () => scattered(100, pngChunk('prVt', Buffer.alloc(1))),
  'png palette without its palette': async (kit) => without(await palette(kit), 'PLTE'),
  'png palette of 301 bytes': async (kit) =>
    behindHeader(without(await palette(kit), 'PLTE'), pngChunk('PLTE', Buffer.alloc(301))),
  'png palette behind the picture': async (kit) => {
    const bytes = await palette(kit);
    const at = find(bytes, 'PLTE');
    const entries = bytes.subarray(at, at + bytes.readUInt32BE(at - 8));
    return beforeEnd(without(bytes, 'PLTE'), pngChunk('PLTE', entries));
  },
  'png palette in a grey picture': () => behindHeader(png(300, 300), pngChunk('PLTE', Buffer.alloc(6))),
  'png palette in an RGB picture': async (kit) =>
    behindHeader(await rgb(kit), pngChunk('PLTE', Buffer.alloc(6))),
  'png palette longer than its bit depth': async (kit) =>
    behindHeader(without(await palette(kit), 'PLTE'), pngChunk('PLTE', Buffer.alloc(257 * 3))),
  'png palette of no entry': async (kit) =>
    behindHeader(without(await palette(kit), 'PLTE'), pngChunk('PLTE', Buffer.alloc(0))),
  'png palette twice': async (kit) => behindHeader(await palette(kit), pngChunk('PLTE', Buffer.alloc(48))),
  'png two headers': async (kit) => behindHeader(await rgb(kit), header(400, 320, 8, 2, 0, 0, 0)),
  'png an unknown critical chunk': async (kit) =>
    behindHeader(await rgb(kit), pngChunk('CRIt', Buffer.alloc(10))),
  'png by an iPhone (CgBI)': async (kit) => {
    const bytes = await rgb(kit);
    const apple = pngChunk('CgBI', Buffer.from([0x50, 0, 0x20, 2]));
    return Buffer.concat([bytes.subarray(0, 8), apple, bytes.subarray(8)]);
  },
  'png picture data that is half a picture': async (kit) => {
    const half = deflateSync(Buffer.alloc(160 * (1 + 400 * 3)));
    return beforeEnd(without(await rgb(kit), 'IDAT'), pngChunk('IDAT', half));
  },
  'png picture data that is noise': async (kit) =>
    beforeEnd(without(await rgb(kit), 'IDAT'), pngChunk('IDAT', Buffer.alloc(1_000, 0x5a))),
});

export const PNGS = [...FORMS, ...ORIENTATIONS, ...BORDERS, ...CUTS, ...BROKEN];
