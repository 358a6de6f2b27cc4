/** Pictures as phones, messengers and editors write them: what stands behind the picture, between its parts, and in its margins. */

import { exif, patch, pngChunk } from '../../domain/media/make.js';
import { type CorpusFile, files, type Kit } from '../kit.js';
import { jpeg } from './jpegs.js';

const text = (value: string) => Buffer.from(value, 'latin1');
const small = (kit: Kit, ...args: string[]) => jpeg(kit, 400, 320, ...args);
const rgb = (kit: Kit, ...args: string[]) =>
  kit.image('png24', '-seed', '7', '-size', '400x320', 'plasma:red-blue', ...args);

function segment(code: number, ...data: readonly Buffer[]): Buffer {
  const body = Buffer.concat(data);
  return Buffer.concat([Buffer.from([0xff, code, (body.length + 2) >> 8, (body.length + 2) & 255]), body]);
}

const behindStart = (bytes: Buffer, ...segments: readonly Buffer[]) =>
  Buffer.concat([bytes.subarray(0, 2), ...segments, bytes.subarray(2)]);

const film = (kit: Kit) =>
  kit.sound('mp4', '-f', 'lavfi', '-i', 'testsrc=s=160x120:d=1:r=5', '-c:v', 'mpeg4');

/** What is put behind the end marker. */
const BEHIND: Readonly<Record<string, (kit: Kit) => Promise<Buffer> | Buffer>> = {
  'a film (Google motion photo)': film,
  'a film and its trailer (Samsung)': async (kit) =>
    Buffer.concat([
      text('\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data'),
      await film(kit),
      text('SEFH\x6b\0\0\0\x01\0\0\0SEFT'),
    ]),
  'a second picture (gain map)': (kit) => jpeg(kit, 100, 80),
  'three pictures (MPF)': async (kit) =>
    Buffer.concat([await jpeg(kit, 160, 128), await jpeg(kit, 80, 64), await jpeg(kit, 40, 32)]),
  zeros: () => Buffer.alloc(4_096),
  ones: () => Buffer.alloc(64, 0xff),
  'a line feed': () => text('\r\n'),
  'a second end marker': () => Buffer.from([0xff, 0xd9]),
  'a ZIP': () => text('PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'),
  XML: () => text('<?xml version="1.0"?><x:xmpmeta/>'),
};

/** What is put behind the start. */
const MARGINS: Readonly<Record<string, readonly Buffer[]>> = {
  'JFIF twice': [segment(0xe0, text('JFIF\0\x01\x01\0\0\x01\0\x01\0\0'))],
  'EXIF of no bytes': [segment(0xe1, text('Exif\0\0'))],
  'EXIF of zeros': [segment(0xe1, text('Exif\0\0'), Buffer.alloc(300))],
  'EXIF that points outside': [segment(0xe1, text('Exif\0\0MM\0*\x7f\xff\xff\xff'))],
  'EXIF of an iPhone, turned': [segment(0xe1, text('Exif\0\0'), exif(6), Buffer.alloc(500))],
  'EXIF of an Android, turned': [segment(0xe1, text('Exif\0\0'), exif(8, 'II'), Buffer.alloc(500))],
  'XMP in two parts': [
    segment(0xe1, text('http://ns.adobe.com/xap/1.0/\0<x/>')),
    segment(0xe1, text('http://ns.adobe.com/xmp/extension/\0'), Buffer.alloc(2_000, 0x20)),
  ],
  'Photoshop resources': [segment(0xed, text('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0'))],
  'C2PA (JUMBF)': [segment(0xeb, text('JP\0\x01\0\0\0\x01'), Buffer.alloc(3_000, 0x63))],
  'MPF index': [segment(0xe2, text('MPF\0MM\0*\0\0\0\x08\0\0'))],
  'an empty comment': [segment(0xfe)],
  'a comment of 64 KB': [segment(0xfe, Buffer.alloc(65_533, 0x2e))],
  'all of APP0 to APP15': Array.from({ length: 16 }, (_, i) => segment(0xe0 + i, Buffer.alloc(20))),
  'fill bytes': [Buffer.alloc(40, 0xff)],
};

const JPEG_WRITERS = files('image', {
  ...Object.fromEntries(
    Object.entries(BEHIND).map(([name, make]) => [
      `jpeg behind it ${name}`,
      async (kit: Kit) => Buffer.concat([await small(kit), await make(kit)]),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(MARGINS).map(([name, segments]) => [
      `jpeg with ${name}`,
      async (kit: Kit) => behindStart(await small(kit), ...segments),
    ]),
  ),
  'jpeg progressive, 4:2:2, a film behind it': async (kit) =>
    Buffer.concat([await small(kit, '-interlace', 'JPEG', '-sampling-factor', '4:2:2'), await film(kit)]),
  'jpeg progressive CMYK': (kit) => small(kit, '-interlace', 'JPEG', '-colorspace', 'CMYK'),
  'jpeg progressive grey': (kit) => small(kit, '-interlace', 'JPEG', '-colorspace', 'Gray'),
  'jpeg stray bytes before the end marker': async (kit) =>
    Buffer.concat([(await small(kit)).subarray(0, -2), Buffer.alloc(7, 0x11), Buffer.from([0xff, 0xd9])]),
});

const behindHeader = (bytes: Buffer, ...chunks: readonly Buffer[]) =>
  Buffer.concat([bytes.subarray(0, 33), ...chunks, bytes.subarray(33)]);
const wrong = (chunk: Buffer) => patch(chunk, chunk.length - 1, (chunk.at(-1) ?? 0) ^ 0xff);

const PNG_WRITERS = files('image', {
  'png behind it a film': async (kit) => Buffer.concat([await rgb(kit), await film(kit)]),
  'png behind it a second PNG': async (kit) => Buffer.concat([await rgb(kit), await rgb(kit)]),
  'png behind it a line feed': async (kit) => Buffer.concat([await rgb(kit), text('\n')]),
  'png with a wrong checksum of zTXt': async (kit) =>
    behindHeader(await rgb(kit), wrong(pngChunk('tEXt', text('Software\0phone')))),
  'png with C2PA (caBX)': async (kit) =>
    behindHeader(await rgb(kit), pngChunk('caBX', Buffer.alloc(3_000, 0x63))),
  'png with iDOT (a screenshot of a Mac)': async (kit) =>
    behindHeader(await rgb(kit), pngChunk('iDOT', Buffer.alloc(28))),
  'png with EXIF that does not turn it': async (kit) =>
    behindHeader(await rgb(kit), pngChunk('eXIf', exif(1))),
  'png with a text chunk of 1 MB': async (kit) =>
    behindHeader(await rgb(kit), pngChunk('prMt', Buffer.alloc(1_000_000, 0x20))),
  'png with pHYs and tIME behind the picture': async (kit) => {
    const bytes = await rgb(kit);
    const time = pngChunk('tIME', Buffer.from([7, 0xe8, 1, 1, 0, 0, 0]));
    return Buffer.concat([bytes.subarray(0, -12), time, bytes.subarray(-12)]);
  },
});

export const PHONE_PICTURES: readonly CorpusFile[] = [...JPEG_WRITERS, ...PNG_WRITERS];
