import { ByteCollector } from '../domain/media/collector.js';
import { type GivenMedia, TELLING_BYTES } from '../domain/media/media.js';
import { mediaIn } from '../domain/media/text.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** Below it bytes must be escaped. */
const SPACE = 0x20;
/** By byte: what stands for it behind a backslash, 0 where nothing does, and its value as a digit. */
const SHORT = new Uint8Array(256);
const NO_DIGIT = 16;
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (const letter of '"\\/bfnrt') SHORT[letter.charCodeAt(0)] = JSON.parse(`"\\${letter}"`).charCodeAt(0);
for (const digit of '0123456789abcdefABCDEF') DIGITS[digit.charCodeAt(0)] = Number.parseInt(digit, 16);

/**
 * Media in a JSON string, read as it arrives (RFC 8259 §7) with its escapes undone: some clients write `\/` for each slash,
 * and others `\u002B` for each plus. Control characters are looked for only where the text tells what it is: behind that
 * nothing is taken but base64, which has none.
 */
export class MediaString {
  readonly member: string;
  readonly #text: ByteCollector;
  /** An escape whose end has not come yet. */
  #begun = Buffer.alloc(0);

  /** @param expectedBytes as for `ByteCollector` */
  constructor(member: string, expectedBytes?: number) {
    this.member = member;
    this.#text = new ByteCollector(expectedBytes);
  }

  get isEmpty(): boolean {
    return this.#text.length === 0;
  }

  end(): GivenMedia {
    return mediaIn(this.#text.take());
  }

  /** Returns the index of the closing quote; -1 where the string goes on. @throws {SyntaxError} */
  read(chunk: Buffer, from: number): number {
    const begun = this.#begun.length;
    const input = begun === 0 ? chunk.subarray(from) : Buffer.concat([this.#begun, chunk.subarray(from)]);
    const quote = input.indexOf(QUOTE);
    const plain = input.subarray(0, quote === -1 ? input.length : quote);
    const isPlain = this.#text.length >= TELLING_BYTES && !plain.includes(BACKSLASH);
    if (isPlain) this.#text.append(plain);
    const end = isPlain ? plain.length : this.#unescape(input);
    this.#begun = input[end] === QUOTE ? Buffer.alloc(0) : Buffer.from(input.subarray(end));
    return input[end] === QUOTE ? from + end - begun : -1;
  }

  /** Returns where it ends: at the closing quote, at an escape that is cut, or with the input. */
  #unescape(input: Buffer): number {
    const text = Buffer.allocUnsafe(input.length);
    let length = 0;
    let at = 0;
    for (; at < input.length; at++) {
      const byte = input[at] as number;
      if (byte === QUOTE) break;
      if (byte < SPACE && this.#text.length + length < TELLING_BYTES) throw new SyntaxError();
      if (byte !== BACKSLASH) {
        text[length++] = byte;
        continue;
      }
      const size = input[at + 1] === LETTER_U ? 6 : 2;
      if (at + size > input.length) break;
      const code = size === 6 ? codeAt(input, at + 2) : (SHORT[input[at + 1] as number] as number);
      if (size === 2 && code === 0) throw new SyntaxError();
      // Half a surrogate pair becomes a replacement character: what it would stand for is no part of media.
      if (code < 0x80) text[length++] = code;
      else length += text.write(String.fromCharCode(code), length);
      at += size - 1;
    }
    this.#text.append(text.subarray(0, length));
    return at;
  }
}

/** The four digits of `\u002B`. */
function codeAt(input: Buffer, from: number): number {
  let code = 0;
  for (let at = from; at < from + 4; at++) {
    const digit = DIGITS[input[at] as number] as number;
    if (digit === NO_DIGIT) throw new SyntaxError();
    code = code * 16 + digit;
  }
  return code;
}
