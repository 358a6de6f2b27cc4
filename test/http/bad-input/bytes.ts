/** Bytes that no HTTP client sends: over sockets. */

import { URLS } from '../../support/requests.js';
import {
  BAD_REQUEST,
  type BadInput,
  byHand,
  HEADERS_TOO_LARGE,
  INVALID_JSON,
  METHOD_NOT_ALLOWED,
  NOT_FOUND,
  postByHand,
  raw,
  TOO_LARGE,
  UNSUPPORTED,
  VALIDATION,
} from './case.js';

const text = JSON.stringify(URLS);
const JSON_TYPE = 'Content-Type: application/json';
const CHUNKED = 'Transfer-Encoding: chunked';

const avatars = { instance: '/avatars' };
const livez = { instance: '/livez' };

const notHttp: [string, string | Buffer][] = [
  ['words', 'hello\r\n\r\n'],
  ['a TLS handshake', Buffer.from('16030100d2010000ce0303', 'hex')],
  ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/3.0', 'GET /livez HTTP/3.0\r\nHost: localhost\r\n\r\n'],
  ['a version that is none', 'GET /livez HTTP/x.y\r\nHost: localhost\r\n\r\n'],
  ['a method that is none', 'FETCH /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a method in lower case', 'get /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a space in the path', 'GET /avatars/a b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [
    'bytes above ASCII in the path',
    Buffer.from('GET /avatars/\xe9 HTTP/1.1\r\nHost: localhost\r\n\r\n', 'latin1'),
  ],
  ['NUL in the path', 'GET /avatars/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['no path', 'GET  HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a header without a colon', byHand('GET /livez', ['nonsense'])],
  ['a header with a space in its name', byHand('GET /livez', ['X Y: z'])],
  ['a header without a name', byHand('GET /livez', [': z'])],
  ['NUL in a header', byHand('GET /livez', ['X-Y: a\0b'])],
  ['a folded header', byHand('GET /livez', ['X-Y: a', ' b'])],
  ['line feeds without carriage returns', 'GET /livez HTTP/1.1\nHost: localhost\n\n'],
  ['a Content-Length that is no number', byHand('POST /avatars', [JSON_TYPE, 'Content-Length: ten'], text)],
  ['a negative Content-Length', byHand('POST /avatars', [JSON_TYPE, 'Content-Length: -1'], text)],
  [
    'two Content-Lengths',
    byHand('POST /avatars', [JSON_TYPE, 'Content-Length: 1', 'Content-Length: 2'], text),
  ],
  [
    'a Content-Length beyond all numbers',
    byHand('POST /avatars', [JSON_TYPE, `Content-Length: ${'9'.repeat(30)}`]),
  ],
  [
    'a length and chunks',
    byHand('POST /avatars', [JSON_TYPE, 'Content-Length: 2', CHUNKED], '2\r\n{}\r\n0\r\n\r\n'),
  ],
  [
    'chunks that are not the last coding',
    byHand('POST /avatars', [JSON_TYPE, 'Transfer-Encoding: chunked, gzip']),
  ],
  ['a bare line feed in a header', byHand('GET /livez', ['X-Y: a\nb'])],
  ['a bare carriage return in a header', byHand('GET /livez', ['X-Y: a\rb'])],
  ['a space before a colon', byHand('GET /livez', ['X-Y : z'])],
  ['a space before the first header', 'GET /livez HTTP/1.1\r\n Host: x\r\n\r\n'],
  ['an empty Content-Length', byHand('POST /avatars', [JSON_TYPE, 'Content-Length:'], text)],
  ['a list of Content-Lengths', byHand('POST /avatars', [JSON_TYPE, 'Content-Length: 2, 3'], text)],
  ['a hexadecimal Content-Length', byHand('POST /avatars', [JSON_TYPE, 'Content-Length: 0x10'], text)],
  ['a Content-Length with a plus', byHand('POST /avatars', [JSON_TYPE, 'Content-Length: +2'], text)],
  [
    'chunks and a length behind them',
    byHand('POST /avatars', [JSON_TYPE, CHUNKED, 'Content-Length: 2'], '2\r\n{}\r\n0\r\n\r\n'),
  ],
  ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n'],
];

const requests: BadInput[] = [
  raw('a request line without a version', 'GET /livez\r\n\r\n', BAD_REQUEST, livez),
  raw(
    'percent-encoded dots under /docs/static',
    byHand('GET /docs/static/%2e%2e/%2e%2e/package.json'),
    NOT_FOUND,
    {
      instance: '/docs/static/%2e%2e/%2e%2e/package.json',
    },
  ),
  raw('HTTP/2 to a path', 'GET /livez HTTP/2.0\r\nHost: x\r\n\r\n', BAD_REQUEST, livez),
  raw('HTTP/1.1 without Host', 'GET /livez HTTP/1.1\r\n\r\n', BAD_REQUEST, livez),
  raw('two Hosts', byHand('GET /livez', ['Host: other']), BAD_REQUEST, livez),
  raw('an expectation nobody knows', byHand('GET /livez', ['Expect: wonders']), BAD_REQUEST, livez),
  raw('a wrong expectation of a POST', postByHand(text, ['Expect: 200-ok']), BAD_REQUEST, avatars),
  raw('two expectations', postByHand(text, ['Expect: 100-continue, wonders']), BAD_REQUEST, avatars),
  raw(
    'a transfer coding of gzip',
    byHand('POST /avatars', [JSON_TYPE, 'Transfer-Encoding: gzip, chunked'], `2\r\n{}\r\n0\r\n\r\n`),
    BAD_REQUEST,
    avatars,
  ),
  raw('bad percent-encoding', byHand('GET /avatars/%zz'), BAD_REQUEST, { instance: '/avatars/%zz' }),
  raw('a cut percent-encoding', byHand('GET /avatars/%4'), BAD_REQUEST, { instance: '/avatars/%4' }),
  raw('percent-encoding that is not UTF-8', byHand('GET /avatars/%ff'), BAD_REQUEST, {
    instance: '/avatars/%ff',
  }),
  raw('bad percent-encoding under /docs', byHand('GET /docs/static/%zz'), BAD_REQUEST, {
    instance: '/docs/static/%zz',
  }),
  raw('TRACE', byHand('TRACE /avatars'), METHOD_NOT_ALLOWED, {
    ...avatars,
    headers: { allow: 'GET, HEAD, POST' },
  }),
  raw('a path with dots', byHand('GET /avatars/../nowhere'), NOT_FOUND, { instance: '/avatars/../nowhere' }),
  raw('dots under /docs/static', byHand('GET /docs/static/../../package.json'), NOT_FOUND, {
    instance: '/docs/static/../../package.json',
  }),
  raw(
    'a range outside a file',
    byHand('GET /docs/static/index.css', ['Range: bytes=9999999-']),
    [416, 'range-not-satisfiable'],
    {
      instance: '/docs/static/index.css',
    },
  ),
  raw('a condition that fails', byHand('GET /docs/static/index.css', ['If-Match: "no"']), BAD_REQUEST, {
    instance: '/docs/static/index.css',
  }),
];

const bodies: BadInput[] = [
  raw('a HEAD with a chunk length that is none', byHand('HEAD /livez', [CHUNKED], 'zz\r\n'), BAD_REQUEST, {
    ...livez,
    bodiless: true,
  }),
  raw(
    'a POST without a content type',
    byHand('POST /avatars', ['Content-Length: 2'], '{}'),
    UNSUPPORTED,
    avatars,
  ),
  raw('a POST with nothing at all', byHand('POST /avatars'), UNSUPPORTED, avatars),
  raw('a POST without a body', byHand('POST /avatars', [JSON_TYPE]), INVALID_JSON, avatars),
  raw('a body of length 0', postByHand(''), INVALID_JSON, avatars),
  raw(
    'an empty content type',
    byHand('POST /avatars', ['Content-Type:', 'Content-Length: 2'], '{}'),
    UNSUPPORTED,
    avatars,
  ),
  raw(
    'a body in no chunks',
    byHand('POST /avatars', [JSON_TYPE, CHUNKED], '0\r\n\r\n'),
    INVALID_JSON,
    avatars,
  ),
  raw(
    'a Content-Length that is too small',
    byHand('POST /avatars', [JSON_TYPE, 'Content-Length: 10'], text),
    INVALID_JSON,
    avatars,
  ),
  raw(
    'a chunk length that is none',
    byHand('POST /avatars', [JSON_TYPE, CHUNKED], `zz\r\n${text}\r\n`),
    BAD_REQUEST,
    avatars,
  ),
  raw(
    'a chunk longer than it says',
    byHand('POST /avatars', [JSON_TYPE, CHUNKED], `2\r\n${text}\r\n0\r\n\r\n`),
    BAD_REQUEST,
    avatars,
  ),
  raw(
    'a Content-Length over the limit',
    byHand('POST /avatars', [JSON_TYPE, 'Content-Length: 99999999']),
    TOO_LARGE,
    {
      ...avatars,
      slow: true,
    },
  ),
  raw('Expect: 100-continue and bad JSON', postByHand('{', ['Expect: 100-continue']), INVALID_JSON, avatars),
  raw('Expect: 100-continue and a bad field', postByHand('{}', ['Expect: 100-continue']), VALIDATION, {
    ...avatars,
    pointers: ['/image', '/sound_file', '/audio_id'],
  }),
];

const tooMuch: BadInput[] = [
  raw('a URL of 65 kB', byHand(`GET /avatars/${'a'.repeat(65_000)}`), HEADERS_TOO_LARGE),
  raw(
    'a HEAD with a header of 20 kB',
    byHand('HEAD /livez', [`X-Y: ${'a'.repeat(20_000)}`]),
    HEADERS_TOO_LARGE,
    {
      bodiless: true,
    },
  ),
  raw('a header of 20 kB', byHand('GET /livez', [`X-Y: ${'a'.repeat(20_000)}`]), HEADERS_TOO_LARGE),
  raw('a header without end', `GET /livez HTTP/1.1\r\nX-Y: ${'a'.repeat(1_000_000)}`, HEADERS_TOO_LARGE),
  raw(
    '5000 headers',
    byHand(
      'GET /livez',
      Array.from({ length: 5000 }, () => 'X-Y: z'),
    ),
    HEADERS_TOO_LARGE,
  ),
  raw('a header name of 20 kB', byHand('GET /livez', [`${'X'.repeat(20_000)}: y`]), HEADERS_TOO_LARGE),
  raw('a URL of 20 kB', byHand(`GET /${'a'.repeat(20_000)}`), HEADERS_TOO_LARGE),
  raw('a query of 20 kB', byHand(`GET /livez?${'a'.repeat(20_000)}`), HEADERS_TOO_LARGE),
];

export const byteCases: BadInput[] = [
  ...notHttp.map(([name, bytes]) => raw(name, bytes, BAD_REQUEST)),
  ...requests,
  ...bodies,
  ...tooMuch,
];
