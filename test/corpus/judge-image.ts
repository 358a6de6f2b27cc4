/** What ImageMagick makes of an image, held against the contract's limits ("Submit": `image`). */

import { convert } from './tools.js';
import { refused, type Verdict } from './verdict.js';

/** The contract in numbers, written down here a second time: a judge that read them from the code would agree with it. */
const LIMITS = { bytes: 10_000_000, side: 300, ratio: 2.5 } as const;

const FORMATS: Readonly<Record<string, string>> = { JPEG: 'jpeg', PNG: 'png' };

/** Warnings with which the picture is decoded whole all the same. */
const HARMLESS: readonly RegExp[] = [
  /Corrupt JPEG data: \d+ extraneous bytes before marker/,
  /tEXt: CRC error/,
  /PLTE: ignored in grayscale PNG/,
  /gAMA: out of place|cHRM: out of place/,
];

/**
 * Decodes the picture whole, turns it as its EXIF block says, and asks for its kind and size. Any other warning
 * is as bad as an error: it is how libjpeg tells of a file that is cut short.
 */
export async function judgeImage(file: string, bytes: number): Promise<Verdict> {
  if (bytes > LIMITS.bytes) return refused('bytes', `${bytes} bytes`);
  const { ok, stdout, stderr } = await convert(file, '-auto-orient', '-format', '%m %w %h\n', 'info:');
  const complaints = stderr.split('\n').filter((line) => !HARMLESS.some((words) => words.test(line)));
  if (!ok || complaints.join('') !== '') return refused('unreadable', complaints.join('; '));
  const [magick = '', ...sides] = stdout.toString().split(/\s/);
  const [width = 0, height = 0] = sides.map(Number);
  const format = FORMATS[magick];
  if (format === undefined) return refused('unreadable', `is ${magick}`);
  if (Math.min(width, height) < LIMITS.side) return refused('sides', `${width}x${height}`);
  if (width / height > LIMITS.ratio || height / width > LIMITS.ratio) {
    return refused('ratio', `${width}x${height}`);
  }
  return { taken: true, format, width, height };
}
