/**
 * Ids as Redis has them: 22 letters for `av_` and 32 hexadecimal digits, in the same order. They stand in half a dozen places for
 * each avatar, and up to 23 letters take the least memory that a string can.
 */

/** In the order of their codes. */
export const LETTERS = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';

const LONG = /^av_[0-9a-f]{32}$/;
/** Letters in place of a long one. */
const SHORT = 22;
/** In front of another one that could be taken for such. */
const ESCAPED = '=';

/** Of each three digits. */
const pairs = new Map(
  Array.from({ length: 64 ** 2 }, (_, i) => [
    i.toString(16).padStart(3, '0'),
    LETTERS.charAt(Math.floor(i / 64)) + LETTERS.charAt(i % 64),
  ]),
);
const digits = new Map(Array.from(pairs, ([three, two]) => [two, three]));

export function idWord(id: string): string {
  if (LONG.test(id)) return translated(`${id.slice(3)}0`, 3, pairs);
  return id.length === SHORT || id.startsWith(ESCAPED) ? ESCAPED + id : id;
}

export function idIn(word: string | Buffer): string {
  const text = String(word);
  if (text.startsWith(ESCAPED)) return text.slice(1);
  return text.length === SHORT ? `av_${translated(text, 2, digits).slice(0, -1)}` : text;
}

function translated(text: string, size: number, words: ReadonlyMap<string, string>): string {
  let result = '';
  for (let at = 0; at < text.length; at += size) result += words.get(text.slice(at, at + size)) ?? '';
  return result;
}
