/** Requests of which the rest never comes: cut off, or not in time. */

import { URLS } from '../../support/requests.js';
import { BAD_REQUEST, type BadInput, byHand, cutOff, REQUEST_TIMEOUT, raw, UNSUPPORTED } from './case.js';

const text = JSON.stringify(URLS);
const JSON_TYPE = 'Content-Type: application/json';
const CHUNKED = 'Transfer-Encoding: chunked';
const avatars = { instance: '/avatars' };

const broken: BadInput[] = [
  cutOff('a request line that is cut off', 'GET /liv', BAD_REQUEST),
  cutOff('headers that are cut off', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-', BAD_REQUEST),
  cutOff(
    'a body that is cut off',
    byHand('POST /avatars', [JSON_TYPE, `Content-Length: ${text.length}`], text.slice(0, -1)),
    BAD_REQUEST,
    avatars,
  ),
  cutOff(
    'chunks that are cut off',
    byHand('POST /avatars', [JSON_TYPE, CHUNKED], `a\r\n{"im`),
    BAD_REQUEST,
    avatars,
  ),
  cutOff(
    'chunks without their end',
    byHand('POST /avatars', [JSON_TYPE, CHUNKED], `2\r\n{}\r\n`),
    BAD_REQUEST,
    avatars,
  ),
];

/** The gateway these go to waits for a fraction of a second. */
const slow: BadInput[] = [
  raw('half a request line', 'GET /liv', REQUEST_TIMEOUT, { slow: true }),
  raw('headers that do not end', 'GET /livez HTTP/1.1\r\nHost: localhost\r\n', REQUEST_TIMEOUT, {
    slow: true,
  }),
  raw(
    'a Content-Length that is too large',
    byHand('POST /avatars', [JSON_TYPE, `Content-Length: ${text.length + 1}`], text),
    REQUEST_TIMEOUT,
    { ...avatars, slow: true },
  ),
  raw(
    'chunks that do not end',
    byHand('POST /avatars', [JSON_TYPE, CHUNKED], '2\r\n{}\r\n'),
    REQUEST_TIMEOUT,
    {
      ...avatars,
      slow: true,
    },
  ),
  raw(
    'no body after all',
    byHand('POST /avatars', [JSON_TYPE, 'Content-Length: 9', 'Expect: 100-continue']),
    REQUEST_TIMEOUT,
    {
      ...avatars,
      slow: true,
    },
  ),
  raw(
    'a wrong content type and no body',
    byHand('POST /avatars', ['Content-Type: a/b', 'Content-Length: 9']),
    UNSUPPORTED,
    {
      ...avatars,
      slow: true,
    },
  ),
];

export const unfinishedCases: BadInput[] = [...broken, ...slow];
