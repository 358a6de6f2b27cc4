/** What a case of bad input is, and how one is sent. */

import { postJson, sendRaw } from '../../support/requests.js';

/** Status and slug, written out here and not taken from the catalogue. */
export const BAD_REQUEST = [400, 'bad-request'] as const;
export const INVALID_JSON = [400, 'invalid-json'] as const;
export const INVALID_QUERY = [400, 'invalid-query'] as const;
export const INVALID_CURSOR = [400, 'invalid-cursor'] as const;
export const UNAUTHORIZED = [401, 'unauthorized'] as const;
export const FORBIDDEN = [403, 'forbidden'] as const;
export const NOT_FOUND = [404, 'not-found'] as const;
export const METHOD_NOT_ALLOWED = [405, 'method-not-allowed'] as const;
export const NOT_ACCEPTABLE = [406, 'not-acceptable'] as const;
export const REQUEST_TIMEOUT = [408, 'request-timeout'] as const;
export const TOO_LARGE = [413, 'payload-too-large'] as const;
export const UNSUPPORTED = [415, 'unsupported-media-type'] as const;
export const VALIDATION = [422, 'validation'] as const;
export const INVALID_MEDIA = [422, 'invalid-media'] as const;
export const URL_NOT_ALLOWED = [422, 'url-not-allowed'] as const;
export const HEADERS_TOO_LARGE = [431, 'headers-too-large'] as const;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface BadInput {
  readonly name: string;
  readonly send: (url: string) => Promise<Answer>;
  readonly expected: readonly [number, string];
  /** The pointers in `errors`, all of them; unset: there is no `errors`. */
  readonly pointers?: readonly string[];
  readonly instance: string;
  /** Headers that the answer must have besides. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a HEAD: there is no body to look at. */
  readonly bodiless?: boolean;
  /** Goes to the gateway that waits for a fraction of a second only. */
  readonly slow?: boolean;
}

/** A body for `POST /avatars`: an object is sent as JSON, anything else as it is. */
export function post(
  name: string,
  body: unknown,
  expected: BadInput['expected'],
  pointers?: readonly string[],
  headers: Record<string, string> = {},
): BadInput {
  const send = async (url: string) => read(await postJson(url, body, headers));
  return { name, send, expected, instance: '/avatars', ...(pointers && { pointers }) };
}

/** A request that any client can make. */
export function ask(
  path: string,
  init: RequestInit,
  expected: BadInput['expected'],
  more: Partial<BadInput> = {},
): BadInput {
  const { method = 'GET', headers, body } = init;
  const shown = path.length > 110 ? `${path.slice(0, 60)}… of ${path.length} characters` : path;
  const rest = headers === undefined ? '' : ` with ${JSON.stringify(headers)} and ${JSON.stringify(body)}`;
  return {
    name: `${method} ${shown}${rest}`,
    send: async (url) => read(await fetch(url + path, init)),
    expected,
    instance: path.replace(/[?#].*$/, ''),
    bodiless: method === 'HEAD',
    ...more,
  };
}

/** Bytes over a connection of their own, which the gateway has to close. */
export function raw(
  name: string,
  bytes: string | Buffer,
  expected: BadInput['expected'],
  more: Partial<BadInput> = {},
): BadInput {
  return { name, send: async (url) => parse(await sendRaw(url, bytes)), expected, instance: '/', ...more };
}

/** Bytes after which the caller's side of the connection ends. */
export function cutOff(
  name: string,
  bytes: string | Buffer,
  expected: BadInput['expected'],
  more: Partial<BadInput> = {},
): BadInput {
  const send = async (url: string) => parse(await sendRaw(url, bytes, { end: true }));
  return { ...raw(name, bytes, expected, more), send };
}

/** A request by hand, over a connection that ends with the answer. */
export function byHand(line: string, headers: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', body].join('\r\n');
}

/** A POST by hand with a JSON body. */
export function postByHand(body: string, headers: readonly string[] = []): string {
  const own = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  return byHand('POST /avatars', [...own, ...headers], body);
}

async function read(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The one answer that came over a connection. */
function parse(received: string): Answer {
  const answer = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const end = answer.indexOf('\r\n\r\n');
  const [line = '', ...lines] = answer.slice(0, end).split('\r\n');
  const headers = new Headers(
    lines.map((each): [string, string] => {
      const colon = each.indexOf(':');
      return [each.slice(0, colon), each.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(line.split(' ')[1]), headers, text: answer.slice(end + 4) };
}
