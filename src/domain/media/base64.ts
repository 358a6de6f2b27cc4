/** Strict base64, for media of many megabytes. */

import { MediaError } from './media.js';

/**
 * Characters decoded at a time. Node decodes base64 from strings only, so the text passes through strings of
 * 64 Ki characters that die young, and nothing of the size of the text is copied but the result.
 */
const SLICE = 65_536;
const BYTES_A_SLICE = (SLICE / 4) * 3;

const MINUS = 0x2d;
const UNDERSCORE = 0x5f;

/**
 * The bytes that a base64 text stands for (RFC 4648 §4: padded, this alphabet, no line feeds, and by §3.5 no bits set
 * under the padding), or a {@link MediaError} that says what is wrong and where.
 *
 * Node's decoder is lenient: it passes over what is not of the alphabet, and takes that of §5 as well. But each
 * character makes at most six bits, so a slice that came to all the bytes it can come to held nothing else. What is
 * left to look for are the two characters of §5, and the bits under the padding.
 *
 * @param into where the bytes are put, if it is large enough; memory of its own is taken otherwise
 */
export function decodeBase64(text: Buffer, into?: Buffer): Buffer {
  if (text.length === 0) throw new MediaError('is empty');
  if (text.length % 4 !== 0) throw new MediaError(explain(text));
  const length = (text.length / 4) * 3 - padding(text);
  const bytes = (
    into !== undefined && into.length >= length ? into : Buffer.allocUnsafeSlow(length)
  ).subarray(0, length);
  let at = 0;
  for (let from = 0; from < text.length; from += SLICE) {
    const slice = text.toString('latin1', from, from + SLICE);
    const end = Math.min(at + BYTES_A_SLICE, length);
    if (bytes.write(slice, at, 'base64') !== end - at) throw new MediaError(explain(text));
    at = end;
  }
  const isStrict = !text.includes(MINUS) && !text.includes(UNDERSCORE);
  if (!isStrict || !isCanonical(text, bytes)) throw new MediaError(explain(text));
  return bytes;
}

/** Whether no bits are set under the padding: the last group is what its bytes are encoded to. */
function isCanonical(text: Buffer, bytes: Buffer): boolean {
  const rest = bytes.length % 3;
  return (
    rest === 0 || bytes.toString('base64', bytes.length - rest) === text.toString('latin1', text.length - 4)
  );
}

function padding(text: Buffer): number {
  if (text.at(-1) !== PAD) return 0;
  return text.at(-2) === PAD ? 2 : 1;
}

const PAD = '='.charCodeAt(0);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const IN_ALPHABET: readonly boolean[] = Array.from({ length: 256 }, (_, code) =>
  ALPHABET.includes(String.fromCharCode(code)),
);

/** What is wrong with a text that is known to be wrong. */
function explain(text: Buffer): string {
  const body = text.length - padding(text);
  for (let i = 0; i < body; i++) {
    const code = text[i] ?? 0;
    if (IN_ALPHABET[code]) continue;
    if (code === PAD) return `is not base64: characters after the padding that begins at offset ${i}`;
    return `is not base64: ${describe(code)} at offset ${i}`;
  }
  if (text.length % 4 !== 0) {
    return `is not base64: ${text.length} characters are not a multiple of 4 (is the padding missing?)`;
  }
  return `is not base64: bits are set that the padding leaves unused, at offset ${body - 1}`;
}

function describe(code: number): string {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return 'white space';
  if (code === 0x2d || code === 0x5f) {
    return `"${String.fromCharCode(code)}" of the URL-safe alphabet`;
  }
  if (code > 0x20 && code < 0x7f) return `"${String.fromCharCode(code)}"`;
  return `byte 0x${code.toString(16).padStart(2, '0')}`;
}
