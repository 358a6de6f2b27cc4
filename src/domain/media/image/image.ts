/** Whether Modellix would take an image, by its bytes. */

import type { ImageFacts } from '../../avatar.js';
import type { Forgive } from '../forgiven.js';
import { MediaError } from '../media.js';
import { isJpeg, isPng, looksLike } from '../sniff.js';
import { type PixelSize, readJpeg } from './jpeg.js';
import { readPng } from './png.js';

/**
 * Contract: "at most 10 MB". Which MB it does not say. The smaller reading is certain to be taken; a file
 * between the two would be let through only to be refused after its megabytes were sent.
 */
export const MAX_IMAGE_BYTES = 10_000_000;

/** Contract: "at least 300x300 px". */
export const MIN_IMAGE_SIDE = 300;

/** Contract: "aspect ratio from 1:2.5 to 2.5:1", both included; in whole numbers, so that 5:2 is exactly it. */
const RATIO = { long: 5, short: 2 } as const;

/** Not in the contract: no photograph of 10 MB has more, and what claims more is a decompression bomb. */
export const MAX_IMAGE_PIXELS = 100_000_000;

/**
 * Format and size of a JPEG or PNG that keeps the contract's rules, or a {@link MediaError}. Width and height
 * are those of the picture as it is shown, that is after its EXIF orientation. Pixels are not decoded: a
 * file that is whole and whose pixels are rubbish passes.
 */
export function inspectImage(bytes: Buffer, forgive: Forgive = () => {}): ImageFacts {
  if (bytes.length === 0) throw new MediaError('is empty');
  if (bytes.length > MAX_IMAGE_BYTES) {
    throw new MediaError(`has ${bytes.length} bytes; an image may have at most ${MAX_IMAGE_BYTES} (10 MB)`);
  }
  const format = formatOf(bytes);
  const { width, height } = format === 'jpeg' ? readJpeg(bytes, forgive) : readPng(bytes, forgive);
  checkSize({ width, height });
  return { source: 'inline', format, width, height, bytes: bytes.length };
}

/** From the signature: neither a file name nor a declared type is trusted. */
function formatOf(bytes: Buffer): 'jpeg' | 'png' {
  if (isJpeg(bytes)) return 'jpeg';
  if (isPng(bytes)) return 'png';
  const looks = looksLike(bytes);
  throw new MediaError(
    looks === null ? 'is neither a JPEG nor a PNG' : `looks like ${looks}; only JPEG and PNG are taken`,
  );
}

function checkSize({ width, height }: PixelSize): void {
  const is = `is ${width}x${height} px`;
  if (width * height > MAX_IMAGE_PIXELS) {
    throw new MediaError(`${is}; more than ${MAX_IMAGE_PIXELS / 1e6} megapixels are not taken`);
  }
  if (width < MIN_IMAGE_SIDE || height < MIN_IMAGE_SIDE) {
    throw new MediaError(`${is}; both sides must be at least ${MIN_IMAGE_SIDE}`);
  }
  if (Math.max(width, height) * RATIO.short > Math.min(width, height) * RATIO.long) {
    throw new MediaError(`${is}; the aspect ratio must be between 1:2.5 and 2.5:1`);
  }
}
