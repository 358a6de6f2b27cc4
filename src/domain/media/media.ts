/**
 * What a caller gave for `image` or `sound_file`: a URL, or the file itself as base64.
 *
 * Upstream (contract, "Submit") each is "a URL, or bare base64 (no `data:...;base64,` prefix)". A `data:` URI
 * is taken from callers all the same and stripped here, since browsers make them by themselves.
 */

/** Media that Modellix would refuse. `detail` is a predicate for the caller, as in "is 299x300 px; ...". */
export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly detail: string;
  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.detail = detail;
  }
}

/** A URL that is not passed on. `detail` is a predicate for the caller, as in "has user info ...". */
export class UrlNotAllowedError extends Error {
  override readonly name = 'UrlNotAllowedError';
  readonly detail: string;
  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.detail = detail;
  }
}

/** What was given, and is not looked at yet. */
export type GivenMedia =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Base64, or so it should be. */
  | { readonly kind: 'base64'; readonly bytes: Buffer }
  /** Neither a URL nor base64, or nothing at all. */
  | { readonly kind: 'invalid'; readonly error: MediaError | UrlNotAllowedError };

/** One of the two, as the text says it. */
type Media =
  | { readonly kind: 'url'; readonly url: string }
  /** `base64` shares its memory with the text it came from and is not checked yet. */
  | { readonly kind: 'inline'; readonly base64: Buffer };

/** The longest URL that is passed on, in characters. */
export const MAX_URL_LENGTH = 8_192;

/** Where a colon makes a text a URL: no scheme is nearly as long, and base64 has no colon at all (RFC 4648 §4). */
const SCHEME_WITHIN = 64;

/** How far the comma of a `data:` URI is looked for; a media type with parameters is far shorter. */
const DATA_HEADER_WITHIN = 1024;

/** So much of a text tells what the whole is. Longer than any URL that is allowed. */
export const TELLING_BYTES = 16_384;

/** Tells a URL from base64, by the first {@link TELLING_BYTES} of a text. The bytes of neither are looked at. */
export function classifyMedia(text: Buffer): Media {
  if (text.length === 0) throw new MediaError('is empty');
  if (!text.subarray(0, SCHEME_WITHIN).includes(':')) return { kind: 'inline', base64: text };
  if (text.toString('latin1', 0, 5).toLowerCase() === 'data:') {
    return { kind: 'inline', base64: stripDataUri(text) };
  }
  if (text.length > MAX_URL_LENGTH) throw tooLong();
  return { kind: 'url', url: checkHttpUrl(text.toString('latin1')) };
}

/** RFC 2397: `data:[<media type>][;base64],<data>`. The media type is a label, so it is not read. */
function stripDataUri(text: Buffer): Buffer {
  const comma = text.subarray(0, DATA_HEADER_WITHIN).indexOf(',');
  if (comma === -1) throw new MediaError('is a data: URI without a comma');
  if (!/^[ -~]*;base64$/i.test(text.toString('latin1', 0, comma))) {
    throw new MediaError('is a data: URI that is not base64; only data:...;base64,... is taken');
  }
  if (comma + 1 === text.length) throw new MediaError('is a data: URI without data');
  return text.subarray(comma + 1);
}

/**
 * Gives the URL back as it came, or throws {@link UrlNotAllowedError}: http or https, at most 8,192 characters,
 * printable ASCII, a host, no user info, and parsable (WHATWG URL). Where the host leads is not looked at:
 * Modellix fetches it, not this process.
 *
 * `//` is asked for and `\` refused because WHATWG reads `http:a`, `http:\\a` and `http://a\@b` as something
 * other than RFC 3986 does, and nobody knows which of the two Modellix follows.
 */
export function checkHttpUrl(text: string): string {
  if (text.length > MAX_URL_LENGTH) throw tooLong();
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new UrlNotAllowedError(
      'has a space, a control character or a non-ASCII character; percent-encode it',
    );
  }
  const parts = /^([^:]*):(?:\/\/([^/?#]*))?/.exec(text);
  const scheme = parts?.[1]?.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') throw new UrlNotAllowedError('is not an http or https URL');
  const authority = parts?.[2];
  if (authority === undefined || authority === '') throw new UrlNotAllowedError('has no host');
  if (authority.includes('@'))
    throw new UrlNotAllowedError('has user info (a name or password before the host)');
  if (text.includes('\\')) throw new UrlNotAllowedError('has a backslash');
  if (!URL.canParse(text)) throw new UrlNotAllowedError('is not a valid URL');
  return text;
}

function tooLong(): UrlNotAllowedError {
  return new UrlNotAllowedError(`is too long; a URL may have at most ${MAX_URL_LENGTH} characters`);
}
