import { imageSize } from 'image-size';
import { parseBuffer } from 'music-metadata';
import { Refusal } from './wire.js';

const MEGABYTE = 1024 * 1024;
const MAX_IMAGE_BYTES = 10 * MEGABYTE;
const MAX_AUDIO_BYTES = 5 * MEGABYTE;
const JPEG_END = Buffer.from([0xff, 0xd9]);

/** Bytes for bare base64, `null` for a URL, which is checked by its looks alone. Throws a 400 for anything else. */
export function decodeSource(field: string, value: string): Buffer | null {
  if (/^data:/i.test(value)) {
    throw new Refusal(400, `Invalid format: ${field} must be bare base64, without a data: prefix`);
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(value)) {
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
      throw new Refusal(400, `Invalid format: ${field} is not a valid URL`);
    }
    return null;
  }
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) {
    throw new Refusal(400, `Invalid format: ${field} is neither a URL nor valid base64`);
  }
  return Buffer.from(value, 'base64');
}

/** JPEG or PNG, at most 10 MB, sides of 300 px and more, 1:2.5 to 2.5:1. Throws a 400. */
export function checkImage(bytes: Buffer): void {
  if (bytes.length > MAX_IMAGE_BYTES)
    throw new Refusal(400, 'Value out of range: image is larger than 10 MB');
  const { type, width, height } = measure(bytes);
  if (type !== 'jpg' && type !== 'png')
    throw new Refusal(400, 'Invalid format: image must be JPG, JPEG or PNG');
  if (!bytes.includes(type === 'png' ? 'IEND' : JPEG_END)) {
    throw new Refusal(400, 'Invalid format: image is truncated');
  }
  if (width < 300 || height < 300) {
    throw new Refusal(400, `Value out of range: image is ${width}x${height}, at least 300x300 is needed`);
  }
  if (width > height * 2.5 || height > width * 2.5) {
    throw new Refusal(400, 'Value out of range: image aspect ratio must be between 1:2.5 and 2.5:1');
  }
}

/** mp3, wav, m4a or aac, at most 5 MB, 2 to 300 s. Returns the seconds; throws a 400. */
export async function checkAudio(bytes: Buffer): Promise<number> {
  if (bytes.length > MAX_AUDIO_BYTES) {
    throw new Refusal(400, 'Value out of range: sound_file is larger than 5 MB');
  }
  const seconds = await secondsOf(bytes);
  if (seconds === null) throw new Refusal(400, 'Invalid format: sound_file must be mp3, wav, m4a or aac');
  if (seconds < 2 || seconds > 300) {
    throw new Refusal(
      400,
      `Value out of range: sound_file is ${seconds.toFixed(1)} s long, 2 to 300 s is allowed`,
    );
  }
  return seconds;
}

function measure(bytes: Buffer): { type: string | undefined; width: number; height: number } {
  try {
    const { type, width, height } = imageSize(bytes);
    return { type, width, height };
  } catch {
    return { type: undefined, width: 0, height: 0 };
  }
}

async function secondsOf(bytes: Buffer): Promise<number | null> {
  try {
    const { format } = await parseBuffer(bytes, undefined, { duration: true, skipCovers: true });
    const container = format.container ?? '';
    const codec = format.codec ?? '';
    const allowed =
      container === 'WAVE' ||
      (container === 'MPEG' && codec.endsWith('Layer 3')) ||
      container.startsWith('ADTS') ||
      (codec.startsWith('MPEG-4/AAC') && format.hasVideo !== true);
    return allowed && format.duration !== undefined ? format.duration : null;
  } catch {
    return null;
  }
}
