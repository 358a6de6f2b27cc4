/** The inside of a JSON string whose bytes come in pieces (RFC 8259 §7). */

const BACKSLASH = 0x5c;
const SHORT: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
/** `\u` and four digits. */
const LONG_ESCAPE = /^\\u[0-9a-fA-F]{4}$/;
const SURROGATE = /[\ud800-\udfff]/;

/**
 * Hands on what the string stands for, escapes undone, as some clients write `\/` for each slash and others `\u002B` for
 * each plus. Surrogates become replacement characters: what they would stand for is of no use here.
 */
export class JsonString {
  readonly #to: (text: Buffer) => void;
  /** The beginning of an escape whose rest has not come yet. */
  #escape = '';

  /** @param to is given each piece, which is not to be kept */
  constructor(to: (text: Buffer) => void) {
    this.#to = to;
  }

  /** Whether the escapes are such, as far as the piece goes. */
  write(piece: Buffer): boolean {
    let from = 0;
    while (this.#escape !== '' && from < piece.length) {
      this.#escape += String.fromCharCode(piece[from++] ?? 0);
      if (!this.#finishEscape()) return false;
    }
    while (from < piece.length) {
      const at = piece.indexOf(BACKSLASH, from);
      const end = at === -1 ? piece.length : at;
      if (end > from) this.#to(piece.subarray(from, end));
      from = end;
      for (; from < piece.length && (from === at || this.#escape !== ''); from++) {
        this.#escape += String.fromCharCode(piece[from] ?? 0);
        if (!this.#finishEscape()) return false;
      }
    }
    return true;
  }

  /** Whether it does not end within an escape. */
  end(): boolean {
    return this.#escape === '';
  }

  /** Hands on the escape if it is whole. Whether it is one, or may become one. */
  #finishEscape(): boolean {
    const whole = this.#escape;
    if (whole.length === 1 || (whole[1] === 'u' && whole.length < 6)) return true;
    const short = SHORT[whole.slice(1)];
    if (short === undefined && !LONG_ESCAPE.test(whole)) return false;
    const text = short ?? String.fromCharCode(Number.parseInt(whole.slice(2), 16));
    this.#escape = '';
    this.#to(Buffer.from(text.replace(SURROGATE, '\ufffd')));
    return true;
  }
}
