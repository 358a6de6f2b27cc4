/** The longest wait that is applied, in seconds: proxies give up on an answer soon after. */
const MAX_WAIT_SECONDS = 60;

/** The preferences (RFC 7240) that are known here. */
export interface Preferences {
  /** As it is applied, in seconds. */
  readonly wait: number | null;
  readonly respondAsync: boolean;
}

/**
 * What a caller prefers. What is not known, and what cannot be read, is as good as not sent (RFC 7240 §2); of a preference that is
 * sent twice the first counts.
 * @param header several header fields are one, joined by commas
 */
export function preferencesIn(header: string | string[] | undefined): Preferences {
  const known = new Map<string, string>();
  for (const { name, value } of elements(String(header ?? ''))) if (!known.has(name)) known.set(name, value);
  const wait = known.get('wait') ?? '';
  return {
    wait: /^\d+$/.test(wait) ? Math.min(MAX_WAIT_SECONDS, Number(wait)) : null,
    // It has no value; an empty one is none.
    respondAsync: known.get('respond-async') === '',
  };
}

/** The header that says which were applied; `undefined` where none was. */
export function preferenceApplied({ wait, respondAsync }: Preferences): string | undefined {
  const applied = [...(respondAsync ? ['respond-async'] : []), ...(wait === null ? [] : [`wait=${wait}`])];
  return applied.length === 0 ? undefined : applied.join(', ');
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACE = /[ \t]*/y;

/** The elements of the list, as far as they are well-formed; parameters are read over. Linear in the length. */
function* elements(header: string): Generator<{ readonly name: string; readonly value: string }> {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const next = (character: string): boolean => {
    take(SPACE);
    if (header[at] !== character) return false;
    at += 1;
    take(SPACE);
    return true;
  };
  /** `null`: not well-formed. */
  const pair = () => {
    const name = take(TOKEN)?.[0];
    if (name === undefined) return null;
    if (!next('=')) return { name: name.toLowerCase(), value: '' };
    const quoted = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1');
    return { name: name.toLowerCase(), value: quoted ?? take(TOKEN)?.[0] ?? '' };
  };

  while (at < header.length) {
    take(SPACE);
    const element = pair();
    let isGood = element !== null;
    // An empty parameter is allowed.
    while (next(';'))
      if (header[at] !== ';' && header[at] !== ',' && at < header.length) isGood &&= pair() !== null;
    take(SPACE);
    isGood &&= at >= header.length || header[at] === ',';
    if (isGood && element !== null) yield element;
    // To the next comma that is not quoted; a quote without an end takes all the rest.
    while (at < header.length && header[at] !== ',') {
      if (header[at] !== '"') at += 1;
      else if (take(QUOTED) === null) return;
    }
    at += 1;
  }
}
