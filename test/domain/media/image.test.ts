/** The contract's rules for the image, each at its border. */

import t from 'tap';
import type { Forgiven } from '../../../src/domain/media/forgiven.js';
import { inspectImage, MAX_IMAGE_BYTES } from '../../../src/domain/media/image/image.js';
import { exif, fixture, jpeg, patch, png, pngChunk, refusal, u32be, withApp1 } from './make.js';

const refused = (bytes: Buffer) => refusal(() => inspectImage(bytes));

t.test('real files of every form', async (t) => {
  const cases: Array<[string, 'jpeg' | 'png', number, number]> = [
    ['baseline.jpg', 'jpeg', 320, 400],
    ['progressive.jpg', 'jpeg', 320, 400],
    ['gray.jpg', 'jpeg', 320, 400],
    ['cmyk.jpg', 'jpeg', 320, 400],
    ['restart.jpg', 'jpeg', 320, 400],
    ['ratio.jpg', 'jpeg', 300, 750],
    ['rgb.png', 'png', 320, 400],
    ['interlaced.png', 'png', 320, 400],
    ['palette.png', 'png', 320, 400],
    ['alpha.png', 'png', 320, 400],
  ];
  for (const [name, format, width, height] of cases) {
    const bytes = fixture(name);
    t.strictSame(inspectImage(bytes), { source: 'inline', format, width, height, bytes: bytes.length }, name);
  }
});

t.test('sides, ratio and area at their borders, in both formats', async (t) => {
  const cases: Array<[number, number, RegExp | null]> = [
    [300, 300, null],
    [299, 300, /^is 299x300 px; both sides must be at least 300$/],
    [300, 299, /^is 300x299 px; both sides must be at least 300$/],
    [1, 1, /^is 1x1 px; both sides/],
    [750, 300, null],
    [300, 750, null],
    [751, 300, /^is 751x300 px; the aspect ratio must be between 1:2.5 and 2.5:1$/],
    [300, 751, /^is 300x751 px; the aspect ratio/],
    [752, 301, null],
    [753, 301, /aspect ratio/],
    [2500, 1000, null],
    [2501, 1000, /^is 2501x1000 px; the aspect ratio/],
    [1000, 2501, /^is 1000x2501 px; the aspect ratio/],
    [10_000, 10_000, null],
    [10_001, 10_000, /^is 10001x10000 px; more than 100 megapixels/],
    [50_000, 50_000, /^is 50000x50000 px; more than 100 megapixels/],
    [65_535, 65_535, /megapixels/],
    [0, 300, /(is a PNG of 0x300 px|does not say its size)/],
    [300, 0, /(is a PNG of 300x0 px|does not say its size)/],
  ];
  for (const [width, height, detail] of cases) {
    for (const bytes of [
      png(width, height, { claim: true }),
      jpeg(width, height),
      jpeg(width, height, 'progressive.jpg'),
    ]) {
      const name = `${width}x${height}`;
      if (detail === null) t.match(inspectImage(bytes), { width, height }, name);
      else t.match(await refused(bytes), detail, name);
    }
  }
  t.match(await refused(png(0xffffffff, 0xffffffff, { claim: true })), /megapixels/);
});

t.test('10 MB, and one byte more', async (t) => {
  for (const image of [fixture('baseline.jpg'), fixture('rgb.png')]) {
    const full = Buffer.concat([image, Buffer.alloc(MAX_IMAGE_BYTES - image.length)]);
    t.equal(inspectImage(full).bytes, 10_000_000, 'bytes after the end of the picture are no harm');
    t.match(
      await refused(Buffer.concat([full, Buffer.alloc(1)])),
      /^has 10000001 bytes; .* 10000000 \(10 MB\)$/,
    );
  }
  const middle = pngChunk('teXt', Buffer.alloc(MAX_IMAGE_BYTES - png(300, 300).length - 12));
  t.equal(inspectImage(png(300, 300, { before: middle })).bytes, 10_000_000);
});

t.test('size as displayed', async (t) => {
  for (let orientation = 1; orientation <= 8; orientation++) {
    const shown = orientation < 5 ? { width: 320, height: 400 } : { width: 400, height: 320 };
    for (const order of ['II', 'MM'] as const) {
      const block = exif(orientation, order);
      const app1 = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), block]);
      t.match(inspectImage(withApp1(fixture('baseline.jpg'), app1)), shown, `JPEG ${order} ${orientation}`);
      t.match(
        inspectImage(png(320, 400, { before: pngChunk('eXIf', block) })),
        shown,
        `PNG ${order} ${orientation}`,
      );
    }
  }
  const twice = [1, 6].map((turn) => Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif(turn)]));
  const blocks = twice.reduceRight((bytes, block) => withApp1(bytes, block), fixture('baseline.jpg'));
  t.match(inspectImage(blocks), { width: 320, height: 400 }, 'of two blocks the first counts');
  const xmp = Buffer.from('http://ns.adobe.com/xap/1.0/\0<x/>', 'latin1');
  t.match(inspectImage(withApp1(fixture('baseline.jpg'), xmp)), { width: 320, height: 400 });
  const good = exif(6);
  for (let length = 0; length < good.length; length++) {
    const app1 = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), good.subarray(0, length)]);
    t.ok(inspectImage(withApp1(fixture('baseline.jpg'), app1)), `EXIF of ${length} bytes is passed over`);
  }
});

t.test('other kinds of file', async (t) => {
  const text = (value: string) => Buffer.from(value, 'latin1');
  const cases: Array<[Buffer, RegExp]> = [
    [Buffer.alloc(0), /^is empty$/],
    [fixture('webp.webp'), /^looks like a WebP image; only JPEG and PNG are taken$/],
    [fixture('gif.gif'), /a GIF image/],
    [text('<svg xmlns="http://www.w3.org/2000/svg"/>'), /an SVG drawing/],
    [text('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg/>'), /an SVG drawing/],
    [text('<?xml version="1.0"?><x/>'), /XML/],
    [text('  <!DOCTYPE html><title>404</title>'), /an HTML page/],
    [text('<html>'), /an HTML page/],
    [text('%PDF-1.7\n'), /a PDF/],
    [text('PK\x03\x04\x14\0'), /a ZIP archive/],
    [text('BM\x36\0\0\0\0\0\0\0'), /a BMP image/],
    [text('II*\0'), /a TIFF image/],
    [text('\0\0\0\x1cftypheic'), /an HEIC image/],
    [text('\0\0\0\x1cftypavif'), /an AVIF image/],
    [text('\xff\x0a\xfa'), /a JPEG XL image/],
    [fixture('late-moov.m4a'), /an MP4 file/],
    [fixture('tagged.wav'), /a WAV sound/],
    [text('{"image": 1}'), /text/],
    [text('\x01\x02\x03'), /^is neither a JPEG nor a PNG$/],
    [text('\xff'), /^is neither/],
  ];
  for (const [bytes, detail] of cases) t.match(await refused(bytes), detail);
});

t.test('a picture cut short anywhere', async (t) => {
  const turned = withApp1(
    fixture('baseline.jpg'),
    Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif(6), fixture('gray.jpg')]),
  );
  const pictures = {
    ...Object.fromEntries(
      ['baseline.jpg', 'progressive.jpg', 'restart.jpg', 'rgb.png'].map((n) => [n, fixture(n)]),
    ),
    'with a thumbnail': turned,
  };
  for (const [name, bytes] of Object.entries(pictures)) {
    t.ok(inspectImage(bytes));
    let taken = 0;
    for (let length = 0; length < bytes.length; length++) {
      if ((await refused(bytes.subarray(0, length))).startsWith('taken')) taken += 1;
    }
    t.equal(taken, 0, `${name}: none of ${bytes.length} beginnings is taken`);
  }
  t.match(await refused(fixture('baseline.jpg').subarray(0, 700)), /cut short: its end marker is missing/);
  t.match(await refused(fixture('rgb.png').subarray(0, 700)), /cut short: its end chunk is missing/);
});

t.test('a JPEG with restarts is walked through them', async (t) => {
  const bytes = fixture('restart.jpg');
  t.ok(
    bytes.lastIndexOf(Buffer.from([0xff, 0xd7])) > bytes.indexOf(Buffer.from([0xff, 0xda])),
    'it has some',
  );
  const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
  const hollow = Buffer.concat([
    bytes.subarray(0, scan + 14),
    Buffer.from([1, 0xff, 0xd0, 1, 0xff, 0xd7, 0xff, 0xd9]),
  ]);
  t.match(inspectImage(hollow), { width: 320, height: 400 });
});

t.test('a JPEG that is broken otherwise', async (t) => {
  const good = fixture('baseline.jpg');
  const frame = good.indexOf(Buffer.from([0xff, 0xc0]));
  const scan = good.indexOf(Buffer.from([0xff, 0xda]));
  const frameSegment = good.subarray(frame, frame + 2 + good.readUInt16BE(frame + 2));
  const end = Buffer.from([0xff, 0xd9]);
  t.match(await refused(Buffer.concat([good.subarray(0, frame), end])), /without a picture/);
  t.match(await refused(Buffer.concat([good.subarray(0, scan), end])), /without a picture/);
  t.match(
    await refused(patch(good, frame + 1, 0xc3)),
    /lossless or hierarchical JPEG.*; write a baseline JPEG/,
  );
  t.match(await refused(patch(good, frame + 1, 0xee)), /without a frame header/);
  t.match(await refused(patch(good, frame + 2, 0, 1)), /segment of 1 bytes/);
  t.match(await refused(patch(good, frame + 2, 0, 5)), /frame header is too short/);
  t.match(
    await refused(Buffer.concat([good.subarray(0, scan), frameSegment, good.subarray(scan)])),
    /more than one frame/,
  );
  t.match(await refused(Buffer.concat([good.subarray(0, scan), good])), /a second image begins/);
  const many = Buffer.concat(Array.from({ length: 10_001 }, () => Buffer.from([0xff, 0xe0, 0, 2])));
  t.match(
    await refused(Buffer.concat([good.subarray(0, 2), many, good.subarray(2)])),
    /more than 10000 segments/,
  );
  t.ok(
    inspectImage(Buffer.concat([good.subarray(0, scan), Buffer.from([0, 0xff, 0xff]), good.subarray(scan)])),
  );
});

t.test('a PNG that is broken otherwise', async (t) => {
  const good = png(300, 300);
  const data = good.indexOf('IDAT');
  t.match(await refused(patch(good, 29, 1)), /checksum of IHDR at offset 8 is wrong/);
  t.match(await refused(patch(good, data + 6, 0x55)), /checksum of IDAT/);
  t.match(await refused(patch(good, data, 0)), /no chunk at offset/);
  t.match(await refused(patch(good, data - 4, 0xff, 0xff, 0xff, 0xff)), /cut short/);
  const header = (...values: number[]) => {
    const chunk = pngChunk('IHDR', Buffer.concat([u32be(300), u32be(300), Buffer.from(values)]));
    return Buffer.concat([good.subarray(0, 8), chunk, good.subarray(33)]);
  };
  t.ok(inspectImage(header(16, 6, 0, 0, 1)));
  for (const values of [
    [3, 0, 0, 0, 0],
    [16, 3, 0, 0, 0],
    [8, 1, 0, 0, 0],
    [8, 2, 1, 0, 0],
    [8, 2, 0, 1, 0],
    [8, 2, 0, 0, 2],
  ]) {
    t.match(await refused(header(...values)), /values that do not exist/, values.join());
  }
  t.match(await refused(header(8, 2, 0, 0)), /an IHDR of 12 bytes/);
  t.match(await refused(Buffer.concat([good.subarray(0, 33), good.subarray(8)])), /second IHDR/);
  t.match(await refused(Buffer.concat([good.subarray(0, 8), good.subarray(33)])), /begins with IDAT/);
  t.match(await refused(Buffer.concat([good.subarray(0, 33), good.subarray(-12)])), /without a picture/);
});

t.test('the chunks of a PNG that decoders stop at', async (t) => {
  const palette = fixture('palette.png');
  const at = palette.indexOf('PLTE') - 4;
  const end = at + 12 + palette.readUInt32BE(at);
  const chunk = palette.subarray(at, end);
  const bare = Buffer.concat([palette.subarray(0, at), palette.subarray(end)]);
  const behindHeader = (bytes: Buffer, ...chunks: Buffer[]) =>
    Buffer.concat([bytes.subarray(0, 33), ...chunks, bytes.subarray(33)]);
  const entries = (bytes: number) => pngChunk('PLTE', Buffer.alloc(bytes));
  t.ok(inspectImage(behindHeader(bare, chunk)));
  t.match(await refused(bare), /its PLTE is missing/);
  t.match(await refused(behindHeader(palette, chunk)), /its PLTE comes twice or too late/);
  const late = Buffer.concat([bare.subarray(0, -12), chunk, bare.subarray(-12)]);
  t.match(await refused(late), /its PLTE comes twice or too late/);
  for (const bytes of [0, 301, 257 * 3]) {
    t.match(await refused(behindHeader(bare, entries(bytes))), new RegExp(`a PLTE of ${bytes} bytes`));
  }
  t.ok(inspectImage(png(300, 300, { before: entries(6) })), 'elsewhere it is a suggestion');
  t.match(
    await refused(png(300, 300, { before: pngChunk('CRIt', Buffer.alloc(4)) })),
    /few decoders know: CRIt/,
  );
  const good = png(300, 300);
  const data = good.subarray(33, -12);
  const split = Buffer.concat([
    good.subarray(0, -12),
    pngChunk('teXt', Buffer.alloc(1)),
    data,
    good.subarray(-12),
  ]);
  t.match(await refused(split), /another chunk between its IDATs/);
});

t.test('[FMedia] what is forgiven in a picture, and put right', async (t) => {
  const forgivenIn = (bytes: Buffer) => {
    const forgiven: Forgiven[] = [];
    inspectImage(bytes, (one) => forgiven.push(one));
    return forgiven;
  };
  const text = pngChunk('tEXt', Buffer.from('Comment\0x'));
  const wrong = png(300, 300, { before: patch(text, text.length - 1, 0x55) });
  const what = 'is a PNG in which the checksum of tEXt at offset 33 is wrong';
  t.strictSame(forgivenIn(wrong), [{ what, mended: true }]);
  t.strictSame(wrong, png(300, 300, { before: text }), 'as it should have been');
  const jpeg = fixture('baseline.jpg');
  const arithmetic = patch(jpeg, jpeg.indexOf(Buffer.from([0xff, 0xc0])) + 1, 0xc9);
  t.match(forgivenIn(arithmetic), [{ what: /arithmetic coding, which few programs read/, mended: false }]);
  t.strictSame(forgivenIn(Buffer.concat([jpeg, Buffer.from('MotionPhoto_Data')])), [], 'a film behind it');
});
