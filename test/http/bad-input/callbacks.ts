/** Receivers that may not be called, in every spelling, and what is asked of callbacks that are not there. */

import { URLS } from '../../support/requests.js';
import {
  ask,
  type BadInput,
  byHand,
  INVALID_QUERY,
  NOT_FOUND,
  post,
  raw,
  UNSUPPORTED,
  URL_NOT_ALLOWED,
  VALIDATION,
} from './case.js';
import { callbackForm } from './forms.js';

const REDELIVER = `/avatars/av_${'0'.repeat(32)}/redeliver`;
const POINTER = ['/callback_url'];

const naming = (callback_url: unknown) => ({ ...URLS, callback_url });

const notStrings: [string, unknown][] = [
  ['a number', 5],
  ['null', null],
  ['true', true],
  ['an object', {}],
  ['an array', ['https://example.com/']],
  ['nothing in it', ''],
];

/** What is no URL that is taken. */
const malformed: string[] = [
  'ftp://example.com/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/plain,hello',
  'gopher://127.0.0.1:6379/_FLUSHALL',
  'ws://example.com/',
  '//example.com/hook',
  '/hook',
  'example.com/hook',
  'hook',
  'http:',
  'http://',
  'http:///hook',
  'http:example.com',
  'https://user@example.com/',
  'https://user:secret@example.com/',
  'https://@example.com/',
  'http://example.com@127.0.0.1/',
  'http:\\\\example.com\\',
  'http://example.com\\@127.0.0.1/',
  'http://example.com:99999/',
  'http://example.com:port/',
  'http://[::1/',
  'http://exa mple.com/',
  ' https://example.com/',
  'https://example.com/\n',
  'https://example.com/\u0000',
  'https://exämple.com/',
  'https://１２７.０.０.１/',
  'https://example.com/\ud800',
  `https://example.com/${'a'.repeat(2029)}`,
  `https://example.com/${'a'.repeat(100_000)}`,
];

/** Hosts that lead inside, each in the spellings that a parser takes for it. */
const INSIDE = [
  // Loopback.
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '0x7f000001',
  '0x7f.0.0.1',
  '0X7F.1',
  '2130706433',
  '017700000001',
  '0177.0.0.1',
  '127.0.0.1.',
  '%31%32%37.0.0.1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[2002:7f00:1::]',
  'localhost',
  'LocalHost',
  'localhost.',
  'a.localhost',
  // This host, and any.
  '0',
  '0.0.0.0',
  '[::]',
  // Private.
  '10.0.0.1',
  '10.1',
  '0xa000001',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '3232235777',
  '[::ffff:192.168.1.1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  // Link-local, and the metadata service.
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '[::ffff:169.254.169.254]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '168.63.129.16',
  // What is shared, reserved, or reaches many.
  '100.64.0.1',
  '100.100.100.200',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '[ff02::1]',
  '[2001:db8::1]',
];

export const callbackCases: BadInput[] = [
  ...notStrings.map(([what, value]) => post(`callback_url: ${what}`, naming(value), VALIDATION, POINTER)),
  ...malformed.map((url) =>
    post(
      `callback_url: ${JSON.stringify(url.slice(0, 60))} (${url.length})`,
      naming(url),
      URL_NOT_ALLOWED,
      POINTER,
    ),
  ),
  ...INSIDE.flatMap((host) => [
    post(`callback_url: http://${host}/`, naming(`http://${host}/`), URL_NOT_ALLOWED, POINTER),
    post(`callback_url: https://${host}:8443/`, naming(`https://${host}:8443/a?b`), URL_NOT_ALLOWED, POINTER),
  ]),
  callbackForm('http://127.1/', URL_NOT_ALLOWED),
  callbackForm('ftp://example.com/', URL_NOT_ALLOWED),
  {
    ...ask(
      '/avatars/check',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(naming('http://127.1/')),
      },
      URL_NOT_ALLOWED,
      { pointers: POINTER },
    ),
    name: 'callback_url: inside, in a check',
  },
  ask('/avatars/av_0/deliveries', {}, NOT_FOUND),
  ask(`/avatars/av_${'0'.repeat(32)}/deliveries`, {}, NOT_FOUND),
  ask(REDELIVER, { method: 'POST' }, NOT_FOUND),
  ask(REDELIVER, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'again' }, UNSUPPORTED),
  ask(
    REDELIVER,
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
    UNSUPPORTED,
  ),
  ask(`${REDELIVER}?now=1`, { method: 'POST' }, INVALID_QUERY, { pointers: ['now'] }),
  raw(
    'redeliver: a body without a type',
    byHand(`POST ${REDELIVER}`, ['Content-Length: 2'], '{}'),
    UNSUPPORTED,
    {
      instance: REDELIVER,
    },
  ),
];
