/** Words and headers of Modellix's answers, made safe to keep, log and show. Pure. */

/** Response headers as undici gives them: lower-case names. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The longest text of theirs that is kept. */
export const MAX_TEXT = 500;

// Control characters, line separators, lone surrogates, and the bidi controls that reorder a log line.
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/**
 * Their words on one line, at most {@link MAX_TEXT} characters long, without the API key should they repeat
 * it; `null` where nothing is left to read.
 */
export function clean(value: unknown, secret?: string): string | null {
  if (typeof value !== 'string') return null;
  const shown = secret === undefined || secret === '' ? value : value.replaceAll(secret, '[key]');
  // Cut before the regular expression runs, so that it never sees a whole answer; and after, where it cut
  // a surrogate pair in two.
  const text = shown
    .slice(0, 4 * MAX_TEXT)
    .replace(UNSAFE, ' ')
    .trim();
  if (text.length <= MAX_TEXT) return text === '' ? null : text;
  return text
    .slice(0, MAX_TEXT - 1)
    .replace(/\p{Cs}$/u, '')
    .concat('…');
}

/** The first value of a header, `undefined` where it is absent or empty. */
export function header(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  const first = (typeof value === 'string' ? value : value?.[0])?.trim();
  return first === '' ? undefined : first;
}
