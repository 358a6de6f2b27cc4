/** Paths, queries and headers that nobody who means well sends. */

import type { Chance } from '../storm/random.js';
import type { Operation } from './document.js';

const SEGMENTS = [
  'av_1',
  'AV_00000000000000000000000000000000',
  '..',
  '.',
  '%2e%2e',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%zz',
  '%',
  '%ff',
  '%0d%0aX-Injected:%20y',
  '%F0%9F%99%82',
  '*',
  '__proto__',
  'a;b=c',
  'a'.repeat(101),
  'a'.repeat(5_000),
];

/** One that leads nowhere, or is malformed. */
export function badPath(chance: Chance, template: string, good: string): string {
  const segment = chance.pick(SEGMENTS);
  if (template.includes('{') && chance.is(0.6)) {
    return template.replace(/\{[^}]+\}/, segment);
  }
  return chance.pick([
    `${good}/`,
    `/${good}`,
    `${good}//`,
    `${good}/${segment}`,
    `/${segment}${good}`,
    good.toUpperCase(),
    good.replace(/\/[^/]*$/, `/${segment}`),
    `${good};v=1`,
    `${good}%20`,
    `/${segment}`,
  ]);
}

export function badQuery(chance: Chance, good: string): string {
  const more = chance.pick([
    'unknown=1',
    'Limit=1',
    'limit=0',
    'limit=1e9',
    'limit=1&limit=1',
    'limit[]=1',
    'status=nope',
    'cursor=tampered',
    'cursor=',
    'created_after=yesterday',
    'created_before=2026-02-30T00:00:00Z',
    'external_id=%00',
    'redirect=yes',
    'download=1',
    'wait=maybe',
    '__proto__=1',
    'constructor[prototype][a]=1',
    '=',
    '=1',
    '%zz=%zz',
    '%ff',
    'a'.repeat(3_000),
    Array.from({ length: 500 }, (_, at) => `p${at}=1`).join('&'),
    '?',
    `${good}&${good}`,
  ]);
  return good === '' || chance.is(0.3) ? more : `${good}&${more}`;
}

/** What proxies and browsers add, and what must not matter. */
export const ODD_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'x-request-id': 'my-own-id' },
  { 'x-request-id': 'é'.repeat(200) },
  { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  { traceparent: 'nonsense' },
  { 'x-forwarded-for': '10.0.0.1, unknown, [::1]' },
  { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher' },
  { 'x-http-method-override': 'DELETE' },
  { origin: 'null', cookie: '__proto__=1; a=b' },
  { accept: '*/*', 'accept-encoding': 'br, gzip;q=0.5, *;q=0' },
  { accept: 'application/json, text/event-stream, video/mp4, text/plain' },
  { host: 'evil.example:99999' },
  { host: '' },
  { 'user-agent': '\xff\xfe%{jndi:ldap://x}' },
  { 'if-modified-since': 'Sat, 31 Feb 2026 25:00:00 GMT' },
];

const RUBBISH = [
  '',
  ' ',
  ',',
  '"',
  '*',
  '\xe9',
  '0',
  '-1',
  '1e9',
  'a'.repeat(300),
  'a, b',
  '%00',
  ';=,;',
  'W/""',
  '\t',
];

const BAD: Readonly<Record<string, readonly string[]>> = {
  accept: ['text/html', 'application/json;q=0', '*/*;q=0', 'nonsense', ';', '*/*;q=2', 'a/b'.repeat(1_000)],
  'content-type': [
    'text/plain',
    'application/jsonx',
    'application/json; charset=utf-16',
    'application/json; charset=',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/mixed; boundary=x',
    'application/problem+json',
    '*/*',
    ';',
  ],
  'content-encoding': ['gzip', 'br', 'identity, gzip', 'x'],
  expect: ['100-continue', 'wonders'],
  range: [
    'bytes=',
    'bytes=9-1',
    'bytes=0-1,5-9',
    'bytes=99999999999999999999-',
    'lines=1-2',
    'bytes=-0',
    'bytes=a-b',
  ],
  prefer: ['wait', 'wait=-1', 'wait=1e9', `wait=${'9'.repeat(300)}`, 'wait="1"; a=b', 'wait=1, wait=2', '"'],
  'transfer-encoding': ['gzip, chunked'],
  authorization: [
    '',
    'Bearer',
    'Bearer nobodys',
    'bearer x',
    'Basic YTpi',
    'Bearer a b',
    `Bearer ${'a'.repeat(9_000)}`,
  ],
  'idempotency-key': ['""', 'two words', 'k'.repeat(256), 'clé', 'same', 'same', '"same"'],
};

/** One header that is wrong: any, or one that the operation reads. */
export function badHeaders(chance: Chance, { parameters }: Operation): Record<string, string> {
  const own = parameters.filter((each) => each.in === 'header').map(({ name }) => name.toLowerCase());
  const name = chance.pick([...own, ...own, ...Object.keys(BAD)]);
  return { [name]: chance.pick([...(BAD[name] ?? []), ...(BAD[name] === undefined ? RUBBISH : [])]) };
}
