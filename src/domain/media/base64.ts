/** Strict base64, for media of many megabytes. */

import { ByteCollector } from './collector.js';
import { MediaError } from './media.js';

/**
 * Characters decoded at a time. Node decodes base64 from strings only, so the text passes through strings of
 * 64 Ki characters that die young, and nothing of the size of the text is copied but the result.
 */
const SLICE = 65_536;

const MINUS = 0x2d;
const UNDERSCORE = 0x5f;

/**
 * Decodes a base64 text that comes in pieces (RFC 4648 §4: padded, this alphabet, no line feeds, and by §3.5 no
 * bits set under the padding).
 *
 * Node's decoder is lenient: it passes over what is not of the alphabet, and takes that of §5 as well. But each
 * character makes at most six bits, so a slice that came to all the bytes it can come to held nothing else. What is
 * left to look for are the two characters of §5, and the bits under the padding.
 */
export class Base64Decoder {
  readonly #bytes: ByteCollector;
  /** The beginning of a group of four whose rest has not come yet. */
  #group = '';
  /** Characters before {@link #group}. */
  #characters = 0;
  #paddedAt: number | null = null;
  #fault: string | null = null;

  /** @param expectedBytes as for {@link ByteCollector} */
  constructor(expectedBytes?: number) {
    this.#bytes = new ByteCollector(expectedBytes);
  }

  /** What follows a fault is passed over. */
  write(text: Buffer): void {
    if (this.#fault !== null) return;
    let from = 0;
    if (this.#group !== '') {
      from = Math.min(4 - this.#group.length, text.length);
      this.#group += text.toString('latin1', 0, from);
      if (this.#group.length < 4) return;
      const group = Buffer.from(this.#group, 'latin1');
      this.#group = '';
      this.#decode(group);
    }
    const whole = text.length - ((text.length - from) % 4);
    for (; from < whole && this.#fault === null; from += SLICE) {
      this.#decode(text.subarray(from, Math.min(from + SLICE, whole)));
    }
    this.#group = text.toString('latin1', whole);
  }

  /** @throws {MediaError} that says what is wrong, and where */
  end(): Buffer {
    if (this.#fault === null && this.#group !== '') {
      this.#fault = this.#explain(Buffer.from(this.#group, 'latin1'));
    }
    if (this.#fault !== null) throw new MediaError(this.#fault);
    if (this.#characters === 0) throw new MediaError('is empty');
    return this.#bytes.take();
  }

  #decode(text: Buffer): void {
    const bytes = (text.length / 4) * 3 - padding(text);
    const slice = text.toString('latin1');
    const room = this.#bytes.room((text.length / 4) * 3);
    const whole = room.write(slice, 'base64') === bytes && this.#paddedAt === null;
    const isStrict = !text.includes(MINUS) && !text.includes(UNDERSCORE);
    if (!whole || !isStrict || !isCanonical(slice, room.subarray(0, bytes))) {
      this.#fault = this.#explain(text);
      this.#bytes.take();
      return;
    }
    this.#bytes.wrote(bytes);
    this.#characters += text.length;
    if (padding(text) > 0) this.#paddedAt = this.#characters - padding(text);
  }

  /** What is wrong with a text that is known to be wrong, and begins behind the characters that were right. */
  #explain(text: Buffer): string {
    if (this.#paddedAt !== null) return afterPadding(this.#paddedAt);
    const body = text.length - padding(text);
    for (let i = 0; i < body; i++) {
      const code = text[i] ?? 0;
      if (IN_ALPHABET[code]) continue;
      if (code === PAD) return afterPadding(this.#characters + i);
      return `is not base64: ${describe(code)} at offset ${this.#characters + i}`;
    }
    if (text.length % 4 !== 0) {
      const count = this.#characters + text.length;
      return `is not base64: ${count} characters are not a multiple of 4 (is the padding missing?)`;
    }
    const last = this.#characters + body - 1;
    return `is not base64: bits are set that the padding leaves unused, at offset ${last}`;
  }
}

/** The bytes that a whole base64 text stands for. @throws {MediaError} */
export function decodeBase64(text: Buffer): Buffer {
  const decoder = new Base64Decoder((text.length / 4) * 3);
  decoder.write(text);
  return decoder.end();
}

/** Whether no bits are set under the padding: the last group is what its bytes are encoded to. */
function isCanonical(text: string, bytes: Buffer): boolean {
  return (
    !text.endsWith('=') || bytes.toString('base64', bytes.length - (bytes.length % 3)) === text.slice(-4)
  );
}

function padding(text: Buffer): number {
  if (text.at(-1) !== PAD) return 0;
  return text.at(-2) === PAD ? 2 : 1;
}

function afterPadding(offset: number): string {
  return `is not base64: characters after the padding that begins at offset ${offset}`;
}

const PAD = '='.charCodeAt(0);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const IN_ALPHABET: readonly boolean[] = Array.from({ length: 256 }, (_, code) =>
  ALPHABET.includes(String.fromCharCode(code)),
);

function describe(code: number): string {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return 'white space';
  if (code === 0x2d || code === 0x5f) {
    return `"${String.fromCharCode(code)}" of the URL-safe alphabet`;
  }
  if (code > 0x20 && code < 0x7f) return `"${String.fromCharCode(code)}"`;
  return `byte 0x${code.toString(16).padStart(2, '0')}`;
}
