import { setImmediate } from 'node:timers/promises';
import { TELLING_BYTES } from '../../domain/media/media.js';

const BACKSLASH = 0x5c;
/** Bytes that pass through a JavaScript string at a time. */
const SLICE = 64 * 1024;
/** Of the bytes of a text: what has no place in a JSON string but escaped. */
const CONTROL = /[^ -\xff]/;
/** As much of a JSON string as has no half of an escape in it. */
const WHOLE = /^(?:[^\\]+|\\[^u]|\\u.{4})*/s;

/**
 * Undoes the escapes of a JSON string (RFC 8259 §7) that is media, in its own memory, and gives up the turn on the way:
 * some clients write `\/` for each slash, others `\u002B` for each plus. Without escapes only the part that tells what it
 * is is looked at: behind that nothing is taken but base64, which has no control characters.
 * @param text without its quotes. A character beyond ASCII comes to something else that media cannot have either
 * @throws {SyntaxError}
 */
export async function unescapeMedia(text: Buffer): Promise<Buffer> {
  if (!text.includes(BACKSLASH)) {
    if (CONTROL.test(text.toString('latin1', 0, TELLING_BYTES))) throw new SyntaxError('a control character');
    return text;
  }
  let length = 0;
  let at = 0;
  while (at < text.length) {
    const slice = text.toString('latin1', at, at + SLICE);
    const [whole] = WHOLE.exec(slice) as unknown as [string];
    if (whole === '') throw new SyntaxError('half an escape');
    const plain = String(JSON.parse(`"${whole}"`)).replace(/[^\0-\xff]/g, '\xff');
    length += text.write(plain, length, 'latin1');
    at += whole.length;
    if (at < text.length) await setImmediate();
  }
  return text.subarray(0, length);
}
