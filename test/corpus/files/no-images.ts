/** What is sent as an image and is none of the two kinds: other pictures, documents, archives, text, nothing. */

import { files, type Kit } from '../kit.js';
import { flac, wave } from './sounds.js';

const picture = (kit: Kit, format: string) => kit.image(format, '-size', '400x320', 'gradient:red-blue');
const text = (value: string) => Buffer.from(value, 'latin1');

/** An archive with one stored file, and its directory. */
const ZIP = Buffer.concat([
  text('PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0a'),
  text(
    'PK\x01\x02\x0a\0\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a',
  ),
  text('PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\x1f\0\0\0\0\0'),
]);

export const NO_IMAGES = files('image', {
  'no image: GIF': (kit) => picture(kit, 'gif'),
  'no image: WebP': (kit) =>
    kit.sound('webp', '-f', 'lavfi', '-i', 'testsrc=s=400x320:d=1', '-frames:v', '1'),
  'no image: BMP': (kit) => picture(kit, 'bmp'),
  'no image: TIFF': (kit) => picture(kit, 'tiff'),
  'no image: ICO': (kit) => kit.image('ico', '-size', '200x200', 'gradient:red-blue'),
  'no image: PPM': (kit) => picture(kit, 'ppm'),
  'no image: AVIF': (kit) =>
    kit.sound('avif', '-f', 'lavfi', '-i', 'testsrc=s=400x320:d=1', '-frames:v', '1', '-cpu-used', '8'),
  'no image: HEIC': () => text('\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x10mdat12345678'),
  'no image: SVG': () =>
    text(
      '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="320"><rect width="9" height="9"/></svg>',
    ),
  'no image: PDF': () => text('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'),
  'no image: ZIP': () => ZIP,
  'no image: HTML': () => text('<!doctype html><title>404</title><p>Not found'),
  'no image: text': () => text('a text file\n'),
  'no image: JSON': () => text('{"image": "..."}'),
  'no image: empty': () => Buffer.alloc(0),
  'no image: one byte': () => text('\xff'),
  'no image: zeros': () => Buffer.alloc(1_000),
  'no image: WAV': (kit) => wave(kit, 2.5),
  'no image: FLAC': (kit) => flac(kit),
  'no image: a film': (kit) =>
    kit.sound('mp4', '-f', 'lavfi', '-i', 'testsrc=s=400x320:d=1:r=4', '-c:v', 'mpeg4'),
});
