/** JPEG pictures: every form that encoders write, every limit from both sides, and what is cut or broken. */

import { exif, patch, u32be } from '../../domain/media/make.js';
import { files, type Kit } from '../kit.js';

/** A picture with enough in it that its scan is some kilobytes long. */
export function jpeg(kit: Kit, width: number, height: number, ...args: string[]): Promise<Buffer> {
  // A plasma is made pixel by pixel, which takes its time.
  const paint = width * height < 200_000 ? 'plasma:red-blue' : 'gradient:red-blue';
  return kit.image('jpg', '-seed', '7', '-size', `${width}x${height}`, paint, '-quality', '40', ...args);
}

const small = (kit: Kit, ...args: string[]) => jpeg(kit, 400, 320, ...args);

function segment(code: number, data: Buffer): Buffer {
  const length = data.length + 2;
  return Buffer.concat([Buffer.from([0xff, code, length >> 8, length & 255]), data]);
}

/** Puts something right behind the start of the image. */
function behindStart(bytes: Buffer, ...segments: readonly Buffer[]): Buffer {
  return Buffer.concat([bytes.subarray(0, 2), ...segments, bytes.subarray(2)]);
}

const text = (value: string) => Buffer.from(value, 'latin1');
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const COMMENT = 0xfe;
const app1 = (tiff: Buffer) => segment(APP1, Buffer.concat([text('Exif\0\0'), tiff]));

/** A first directory without the tag, and a second one (the thumbnail's) that has it. */
function turnedThumbnail(): Buffer {
  const empty = Buffer.concat([text('MM\0*\0\0\0\x08'), Buffer.from([0, 0]), u32be(14)]);
  return Buffer.concat([empty, exif(6).subarray(8)]);
}

/** An ICC profile of about a megabyte, in as many segments as it takes; nothing in it but an unused tag. */
function hugeProfile(): Buffer[] {
  const profile = Buffer.alloc(1_000_000);
  profile.writeUInt32BE(profile.length, 0);
  profile.write('RGB XYZ ', 16, 'latin1');
  profile.write('acsp', 36, 'latin1');
  const part = 65_000;
  const parts = Math.ceil(profile.length / part);
  return Array.from({ length: parts }, (_, i) =>
    segment(
      APP2,
      Buffer.concat([
        text('ICC_PROFILE\0'),
        Buffer.from([i + 1, parts]),
        profile.subarray(i * part, (i + 1) * part),
      ]),
    ),
  );
}

/** Comments that fill a file up to a size. */
function fill(bytes: Buffer, size: number): Buffer {
  const largest = 65_533 + 4;
  const comments: Buffer[] = [];
  for (let left = size - bytes.length; left > 0; ) {
    // Never leaves fewer bytes than a segment needs.
    const take = left > largest + 4 ? largest : Math.min(left, largest - 4);
    comments.push(segment(COMMENT, Buffer.alloc(take - 4, 0x20)));
    left -= take;
  }
  return behindStart(bytes, ...comments);
}

/** Where the first segment of a kind begins. */
const find = (bytes: Buffer, code: number) => bytes.indexOf(Buffer.from([0xff, code]));
const SOF0 = 0xc0;
const SOS = 0xda;

/** The frame header says another size; the pixels stay those of the picture. */
const claiming = (bytes: Buffer, width: number, height: number) =>
  patch(bytes, find(bytes, SOF0) + 5, height >> 8, height & 255, width >> 8, width & 255);

const restarts = (kit: Kit) =>
  kit.sound('jpg', '-f', 'lavfi', '-i', 'testsrc=s=400x320:d=1', '-frames:v', '1', '-slices', '4');

const FORMS = files('image', {
  'jpeg baseline': (kit) => small(kit),
  'jpeg progressive': (kit) => small(kit, '-interlace', 'JPEG'),
  'jpeg 4:4:4': (kit) => small(kit, '-sampling-factor', '4:4:4'),
  'jpeg 4:1:1': (kit) => small(kit, '-sampling-factor', '4:1:1'),
  'jpeg quality 100': (kit) => small(kit, '-quality', '100'),
  'jpeg grey': (kit) => small(kit, '-colorspace', 'Gray'),
  'jpeg CMYK, Adobe marker': (kit) => small(kit, '-colorspace', 'CMYK'),
  'jpeg RGB, Adobe marker': async (kit) =>
    behindStart(await small(kit), segment(APP14, text('Adobe\0\x64\0\0\0\0\x01'))),
  'jpeg by ffmpeg, restart markers': (kit) => restarts(kit),
  'jpeg full range 4:4:4 by ffmpeg': (kit) =>
    kit.sound(
      'jpg',
      ...['-f', 'lavfi', '-i', 'testsrc=s=400x320:d=1', '-frames:v', '1', '-pix_fmt', 'yuvj444p'],
    ),
  'jpeg density and comment': (kit) => small(kit, '-density', '300', '-set', 'comment', 'a portrait'),
  'jpeg ICC profile of 1 MB': async (kit) => behindStart(await small(kit), ...hugeProfile()),
  'jpeg EXIF with a thumbnail': async (kit) =>
    behindStart(await small(kit), app1(Buffer.concat([exif(1), await jpeg(kit, 160, 128)]))),
  'jpeg EXIF of 64 KB': async (kit) =>
    behindStart(await small(kit), app1(Buffer.concat([exif(6), Buffer.alloc(65_000)]))),
  'jpeg EXIF behind XMP': async (kit) =>
    behindStart(await small(kit), segment(APP1, text('http://ns.adobe.com/xap/1.0/\0<x/>')), app1(exif(8))),
  'jpeg EXIF, thumbnail turned': async (kit) => behindStart(await small(kit), app1(turnedThumbnail())),
  'jpeg EXIF, two blocks': async (kit) => behindStart(await small(kit), app1(exif(1)), app1(exif(6))),
  'jpeg EXIF, cut': async (kit) => behindStart(await small(kit), app1(exif(6).subarray(0, 15))),
  'jpeg fill bytes before markers': async (kit) => {
    const bytes = await small(kit);
    const at = find(bytes, SOS);
    return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(9, 0xff), bytes.subarray(at)]);
  },
  'jpeg trailing bytes': async (kit) => Buffer.concat([await small(kit), Buffer.alloc(999, 0x41)]),
  'jpeg two pictures (MPO)': async (kit) =>
    Buffer.concat([
      behindStart(await small(kit), segment(APP2, text('MPF\0MM\0*\0\0\0\x08\0\0'))),
      await jpeg(kit, 160, 128),
    ]),
});

const ORIENTATIONS = files(
  'image',
  Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8].flatMap((turn) => [
      [
        `jpeg 750x300, orientation ${turn}`,
        async (kit: Kit) =>
          behindStart(await jpeg(kit, 750, 300), app1(exif(turn, turn % 2 === 0 ? 'II' : 'MM'))),
      ],
      [
        `jpeg 780x300, orientation ${turn}`,
        async (kit: Kit) => behindStart(await jpeg(kit, 780, 300), app1(exif(turn))),
      ],
    ]),
  ),
);

const STRANGE_ORIENTATIONS = files(
  'image',
  Object.fromEntries(
    [0, 9, 255].map((turn) => [
      `jpeg orientation ${turn}`,
      async (kit: Kit) => behindStart(await small(kit), app1(exif(turn))),
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
  [4000, 3000],
];

const BORDERS = files('image', {
  ...Object.fromEntries(SIZES.map(([w, h]) => [`jpeg ${w}x${h}`, (kit: Kit) => jpeg(kit, w, h)])),
  'jpeg 10,000,000 bytes, comments': async (kit) => fill(await small(kit), 10_000_000),
  'jpeg 10,000,001 bytes, comments': async (kit) => fill(await small(kit), 10_000_001),
  'jpeg 10,000,000 bytes, trailing': async (kit) => padded(await small(kit), 10_000_000),
  'jpeg 10,000,001 bytes, trailing': async (kit) => padded(await small(kit), 10_000_001),
});

const padded = (bytes: Buffer, size: number) => Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]);

/** Cut after a part of the picture, and a whole number of bytes before the end. */
const CUTS = files('image', {
  'jpeg cut: only the start': async (kit) => (await small(kit)).subarray(0, 3),
  'jpeg cut in a header': async (kit) => (await small(kit)).subarray(0, 100),
  'jpeg cut before the scan': async (kit) => {
    const bytes = await small(kit);
    return bytes.subarray(0, find(bytes, SOS));
  },
  'jpeg cut at a tenth': async (kit) => part(await small(kit), 0.1),
  'jpeg cut at a half': async (kit) => part(await small(kit), 0.5),
  'jpeg cut at nine tenths': async (kit) => part(await small(kit), 0.9),
  'jpeg cut, the end marker gone': async (kit) => (await small(kit)).subarray(0, -2),
  'jpeg cut, half the end marker': async (kit) => (await small(kit)).subarray(0, -1),
  'jpeg progressive cut at a half': async (kit) => part(await small(kit, '-interlace', 'JPEG'), 0.5),
  'jpeg restart markers, cut at a half': async (kit) => part(await restarts(kit), 0.5),
  'jpeg cut, a whole thumbnail in it': async (kit) =>
    part(behindStart(await small(kit), app1(Buffer.concat([exif(6), await jpeg(kit, 160, 128)]))), 0.9),
});

const part = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share));

const BROKEN = files('image', {
  'jpeg claims 50000x50000': async (kit) => claiming(await small(kit), 50_000, 50_000),
  'jpeg claims 0x320': async (kit) => claiming(await small(kit), 0, 320),
  'jpeg claims 400x0': async (kit) => claiming(await small(kit), 400, 0),
  'jpeg without a frame header': async (kit) => {
    const bytes = await small(kit);
    return patch(bytes, find(bytes, SOF0) + 1, COMMENT);
  },
  'jpeg without a scan': async (kit) => {
    const bytes = await small(kit);
    return Buffer.concat([bytes.subarray(0, find(bytes, SOS)), Buffer.from([0xff, 0xd9])]);
  },
  'jpeg with two frame headers': async (kit) => {
    const bytes = await small(kit);
    const frame = find(bytes, SOF0);
    const header = bytes.subarray(frame, frame + 2 + bytes.readUInt16BE(frame + 2));
    return Buffer.concat([bytes.subarray(0, frame), header, bytes.subarray(frame)]);
  },
  'jpeg with a segment of length 0': async (kit) => {
    const bytes = await small(kit);
    return patch(bytes, find(bytes, SOF0) + 2, 0, 0);
  },
  'jpeg lossless frame': async (kit) => {
    const bytes = await small(kit);
    return patch(bytes, find(bytes, SOF0) + 1, 0xc3);
  },
  'jpeg arithmetic frame': async (kit) => {
    const bytes = await small(kit);
    return patch(bytes, find(bytes, SOF0) + 1, 0xc9);
  },
  'jpeg a stray byte between segments': async (kit) => {
    const bytes = await small(kit);
    const at = find(bytes, SOS);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from([0]), bytes.subarray(at)]);
  },
  'jpeg cut at a half, then an end marker': async (kit) =>
    Buffer.concat([part(await small(kit), 0.5), Buffer.from([0xff, 0xd9])]),
  'jpeg claims twice its height': async (kit) => claiming(await small(kit), 400, 640),
});

export const JPEGS = [...FORMS, ...ORIENTATIONS, ...STRANGE_ORIENTATIONS, ...BORDERS, ...CUTS, ...BROKEN];
