/** Requests whose method, path, query or headers are at fault; any client can make them. */

import { gzipSync } from 'node:zlib';
import { URLS } from '../../support/requests.js';
import {
  ask,
  type BadInput,
  INVALID_QUERY,
  METHOD_NOT_ALLOWED,
  NOT_ACCEPTABLE,
  NOT_FOUND,
  post,
  UNSUPPORTED,
} from './case.js';

const text = JSON.stringify(URLS);
const ID = `av_${'0'.repeat(32)}`;

const ALLOWED: Readonly<Record<string, string>> = {
  '/avatars': 'GET, HEAD, POST',
  [`/avatars/${ID}`]: 'DELETE, GET, HEAD',
  [`/avatars/${ID}/video`]: 'GET, HEAD',
  [`/avatars/${ID}/resolve`]: 'POST',
  [`/avatars/${ID}/cancel`]: 'POST',
  '/livez': 'GET, HEAD',
  '/readyz': 'GET, HEAD',
  '/metrics': 'GET, HEAD',
  '/openapi.json': 'GET, HEAD',
  '/docs': 'GET, HEAD',
  '/docs/': 'GET, HEAD',
  '/docs/static/index.css': 'GET, HEAD',
};
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH'];

const methods: BadInput[] = Object.entries(ALLOWED).flatMap(([path, allow]) =>
  METHODS.filter((method) => !allow.split(', ').includes(method)).map((method) =>
    ask(path, { method }, METHOD_NOT_ALLOWED, { headers: { allow } }),
  ),
);

const withBody = (method: string, path: string, body: string, type: string, expected: BadInput['expected']) =>
  ask(path, { method, headers: { 'content-type': type }, body }, expected);

/** What the body holds does not matter where there is nothing to take it. */
const bodiesNobodyReads: BadInput[] = [
  withBody('PUT', '/avatars', '{', 'application/json', METHOD_NOT_ALLOWED),
  withBody('DELETE', `/avatars/${ID}`, '<', 'text/xml', UNSUPPORTED),
  withBody('DELETE', `/avatars/${ID}`, '{}', 'application/json', UNSUPPORTED),
  withBody('POST', `/avatars/${ID}/cancel`, '{}', 'application/json', UNSUPPORTED),
  withBody('POST', `/avatars/${ID}/cancel`, '', 'application/json', NOT_FOUND),
  withBody('POST', '/livez', '{', 'application/json', METHOD_NOT_ALLOWED),
  withBody('POST', '/nowhere', '{', 'application/json', NOT_FOUND),
  withBody('POST', '/nowhere', '<', 'text/xml', NOT_FOUND),
  withBody('POST', '/nowhere', '', 'application/json', NOT_FOUND),
];

const NOWHERE = [
  '/',
  '/avatar',
  '/Avatars',
  '/avatars/',
  '//avatars',
  '/avatars//',
  '/livez/',
  '/docs/nothing',
  '/docs/static/nothing.js',
  '/docs/static/..%2f..%2fpackage.json',
  '/docs/static/..%5c..%5cpackage.json',
  '/docs/static/%00',
  '/docs/static/.env',
  '/avatars/..%2flivez',
  '/favicon.ico',
  '/v1/tasks/task-1',
];
const IDS = [
  ID,
  ID.toUpperCase(),
  'av_',
  'av_1',
  'x',
  `${ID}0`,
  'a'.repeat(100),
  'a'.repeat(101),
  'a'.repeat(8_000),
  '%00',
  '%0a',
  '%20',
  '%F0%9F%99%82',
  '..%2f..%2fetc',
  '*',
  '__proto__',
  'constructor',
  `${ID}%00`,
  `${ID}%2fvideo`,
  `${ID}/`,
  `${ID}/nothing`,
  `${ID};v=1`,
  `${ID}%20`,
  `${ID}%0d%0aX-Injected:%20y`,
  ID.replace('av_', 'av%5f'),
  `%ef%bb%bf${ID}`,
  'av_%EF%BC%90',
];
const nowhere: BadInput[] = [
  ...NOWHERE.map((path) => ask(path, {}, NOT_FOUND)),
  ...IDS.map((id) => ask(`/avatars/${id}`, {}, NOT_FOUND)),
  ...IDS.map((id) => ask(`/avatars/${id}/video`, {}, NOT_FOUND)),
  ...IDS.map((id) => ask(`/avatars/${id}/cancel`, { method: 'POST' }, NOT_FOUND)),
  ...IDS.map((id) => ask(`/avatars/${id}`, { method: 'DELETE' }, NOT_FOUND)),
  ask(`/avatars/${ID}`, { method: 'HEAD' }, NOT_FOUND),
  ask(`/avatars/${ID}/video`, { method: 'HEAD' }, NOT_FOUND),
  ask(`/avatars/${ID}/video?redirect=true`, {}, NOT_FOUND),
  ask('/nowhere?redirect=true', {}, NOT_FOUND),
];

const query = (path: string, parameters: string, pointers: string[], init: RequestInit = {}) =>
  ask(`${path}?${parameters}`, init, INVALID_QUERY, { pointers, instance: path });
const postInit = { method: 'POST', headers: { 'content-type': 'application/json' }, body: text };
const VIDEO = `/avatars/${ID}/video`;
const queries: BadInput[] = [
  ...['/livez', '/readyz', '/metrics', '/openapi.json', `/avatars/${ID}`].flatMap((path) => [
    query(path, 'limit=1', ['limit']),
    query(path, 'a=1&b=2', ['a', 'b']),
    query(path, '=1', ['']),
  ]),
  query('/avatars', 'mode=pro', ['mode'], postInit),
  query('/avatars', 'limit=0', ['limit'], postInit),
  query(VIDEO, 'redirect=yes', ['redirect']),
  query(VIDEO, 'redirect=1', ['redirect']),
  query(VIDEO, 'redirect=TRUE', ['redirect']),
  query(VIDEO, 'redirect=', ['redirect']),
  query(VIDEO, 'redirect', ['redirect']),
  query(VIDEO, 'redirect=true&redirect=true', ['redirect']),
  query(VIDEO, 'redirect=true&redirect=false', ['redirect']),
  query(VIDEO, 'redirect[]=true', ['redirect[]']),
  query(VIDEO, 'redirect=true%00', ['redirect']),
  query(VIDEO, 'redirect=%zz', ['redirect']),
  query(VIDEO, 'Redirect=true', ['Redirect']),
  query(VIDEO, 'redirect=true&x=1', ['x']),
  query(VIDEO, '__proto__=1', ['__proto__']),
  query(VIDEO, 'constructor=1&toString=2', ['constructor', 'toString']),
  query(VIDEO, 'a/b~c=1', ['a/b~c']),
];

const JSON_ONLY = [
  'text/html',
  'application/xml, text/*',
  'application/json;q=0',
  '*/*;q=0',
  'application/json;q=0, */*',
  'video/mp4',
  'nonsense',
];
const VIDEO_ONLY = ['text/html', 'application/json', 'video/webm', '*/*;q=0', 'video/mp4;q=0', 'image/*'];
const accepts: BadInput[] = [
  ...JSON_ONLY.map((accept) => ask(`/avatars/${ID}`, { headers: { accept } }, NOT_ACCEPTABLE)),
  ...JSON_ONLY.map((accept) => ask('/avatars', { headers: { accept } }, NOT_ACCEPTABLE)),
  ...JSON_ONLY.map((accept) =>
    ask('/avatars', { ...postInit, headers: { ...postInit.headers, accept } }, NOT_ACCEPTABLE),
  ),
  ...VIDEO_ONLY.map((accept) => ask(VIDEO, { headers: { accept } }, NOT_ACCEPTABLE)),
];

const TYPES = [
  'text/json',
  'text/plain',
  'text/plain; charset=utf-8',
  'application/x-www-form-urlencoded',
  'multipart/mixed; boundary=x',
  'multipart/form-data-x; boundary=x',
  'application/jsonx',
  'application/json-seq',
  'application/json+xml',
  'application/problem+json',
  'application/merge-patch+json',
  'application/*',
  '*/*',
  'json',
  'application/json, text/plain',
  'text/plain, application/json',
  'application/json text/plain',
  'application/json; charset=utf-16',
  'application/json;charset=UTF-16LE',
  'application/json; charset="utf-16"',
  'application/json; charset=iso-8859-1',
  'application/json; charset=utf-8; charset=utf-16',
  'application/json; charset=',
  "application/json; charset='utf-8'",
  'application/json; CHARSET=utf-7',
  'application/json; charset=utf-8, application/json; charset=utf-16',
];
const ENCODINGS = ['gzip', 'br', 'deflate', 'zstd', 'x-unknown', 'identity, gzip', 'gzip, identity'];
const headers = (name: string, value: string) =>
  post(`${name}: ${value}`, text, UNSUPPORTED, undefined, { [name]: value });
const contents: BadInput[] = [
  ...TYPES.map((type) => headers('content-type', type)),
  post('a compressed body', gzipSync(text), UNSUPPORTED, undefined, { 'content-encoding': 'gzip' }),
  ...ENCODINGS.map((encoding) => headers('content-encoding', encoding)),
];

const KEYS: [string, string][] = [
  ['empty', ''],
  ['only quotes', '""'],
  ['of 256 characters', 'k'.repeat(256)],
  ['with a space', 'two words'],
  ['with a tab', 'a\tb'],
  ['that is not ASCII', 'clé'],
  ['given twice', 'a, b'],
  ['of 256 characters in quotes', `"${'k'.repeat(256)}"`],
  ['with a space in quotes', '"two words"'],
  ['with a C1 control character', 'a\x85b'],
  ['with a quote that does not end, and a space', '"a b'],
];
const keys = KEYS.map(([name, key]) =>
  post(`an Idempotency-Key ${name}`, URLS, [400, 'idempotency-key-invalid'], undefined, {
    'idempotency-key': key,
  }),
);

export const httpCases: BadInput[] = [
  methods,
  bodiesNobodyReads,
  nowhere,
  queries,
  accepts,
  contents,
  keys,
].flat();
