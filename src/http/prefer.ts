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
  if (header === undefined) return { wait: null, respondAsync: false };
  const known = new Map<string, string>();
  for (const element of split(String(header), ELEMENT)) {
    const [preference, ...parameters] = split(element, PARAMETER).map((each) => PAIR.exec(each.trim()));
    // An empty parameter is allowed.
    if (!preference?.[1] || parameters.includes(null)) continue;
    const [, name, quoted, token = ''] = preference;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? token;
    if (!known.has(name.toLowerCase())) known.set(name.toLowerCase(), value);
  }
  const wait = known.get('wait') ?? '';
  return {
    wait: /^\d+$/.test(wait) ? Math.min(MAX_WAIT_SECONDS, Number(wait)) : null,
    // It has no value; an empty one is none.
    respondAsync: known.get('respond-async') === '',
  };
}

/** The header that says which were applied, where any was. */
export function preferenceApplied({ wait, respondAsync }: Preferences) {
  const applied = [...(respondAsync ? ['respond-async'] : []), ...(wait === null ? [] : [`wait=${wait}`])];
  return applied.length === 0 ? {} : { 'preference-applied': applied.join(', ') };
}

// Linear in the length, all of them. A quote without an end takes all the rest.
const ELEMENT = /((?:[^,"]|"(?:[^"\\]|\\.)*"?)*)(?:,|$)/gs;
const PARAMETER = /((?:[^;"]|"(?:[^"\\]|\\.)*"?)*)(?:;|$)/gs;
/** A token, and perhaps a value, quoted or not; or nothing. */
const PAIR = /^(?:([\w!#$%&'*+.^`|~-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~-]*)))?)?$/;

/** What stands between separators that are not quoted. */
function split(list: string, separated: RegExp): string[] {
  return Array.from(list.matchAll(separated), ([, part = '']) => part);
}
