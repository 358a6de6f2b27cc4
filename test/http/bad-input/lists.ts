/** Requests for a list, and for its avatars' end, that are at fault. */

import { ask, type BadInput, INVALID_CURSOR, INVALID_QUERY } from './case.js';

const ID = `av_${'0'.repeat(32)}`;
const LIST = '/avatars';
const query = (path: string, parameters: string, pointers: string[], init: RequestInit = {}) =>
  ask(`${path}?${parameters}`, init, INVALID_QUERY, { pointers, instance: path });
const list = (parameters: string, ...pointers: string[]) => query(LIST, parameters, pointers);
const TIMES = [
  '',
  'yesterday',
  '0',
  '1764000000000',
  '2026-11-22',
  '2026-11-22T10:00:00',
  '2026-11-22 10:00:00Z',
  '2026-11-22T10:00:00+02:00',
  '2026-13-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-11-22T24:00:01Z',
  'Sun, 22 Nov 2026 10:00:00 GMT',
  '+012026-11-22T10:00:00Z',
  '2026-11-22T10:00Z',
  '2026-11-22T10:00:60Z',
  '2026-11-22T10:00:00.1234567890Z',
  '2026-11-22T10:00:00Z%00',
  '%202026-11-22T10:00:00Z',
  '2026-W47-7',
  'now',
  'null',
];
/** Of other lists, of other callers, and of nobody. */
const CURSORS = [
  '',
  'x',
  'nonsense',
  '*',
  '%00',
  'bnVsbA',
  'null',
  '%F0%9F%99%82',
  '../../etc/passwd',
  '%7B%22$gt%22:%22%22%7D',
  '0'.repeat(4_000),
  Buffer.from(`123456789${'1764000000000'} ${ID}`).toString('base64url'),
  Buffer.from(`123456789${'1764000000000'} ${ID}`).toString('base64'),
];
export const listCases: BadInput[] = [
  ...[
    '0',
    '-1',
    '1e9',
    '101',
    '1000000000',
    '1.5',
    '01',
    '+1',
    '0x10',
    'NaN',
    '',
    '%20',
    '%31%00',
    '1_0',
    '00',
    '1,2',
    'Infinity',
    '%EF%BC%91',
    '9'.repeat(400),
    '1%0a',
  ].map((limit) => list(`limit=${limit}`, 'limit')),
  ...['nope', 'Queued', '', ',', 'queued,', ',queued', 'queued,nope', 'queued;failed', '__proto__'].map(
    (status) => list(`status=${status}`, 'status'),
  ),
  ...TIMES.map((time) => list(`created_after=${time}`, 'created_after')),
  ...TIMES.map((time) => list(`created_before=${time}`, 'created_before')),
  list('limit=1&limit=1', 'limit'),
  list('limit=1&limit=2', 'limit'),
  list('status=queued&status=failed', 'status'),
  list('cursor=a&cursor=a', 'cursor'),
  list('created_after=2026-11-22T10:00:00Z&created_after=2026-11-22T10:00:00Z', 'created_after'),
  list('external_id=', 'external_id'),
  list(`external_id=${'e'.repeat(256)}`, 'external_id'),
  list('external_id=a%00', 'external_id'),
  list('page=2', 'page'),
  list('Limit=1', 'Limit'),
  list('limit[]=1', 'limit[]'),
  list('externalId=1', 'externalId'),
  list('__proto__=1', '__proto__'),
  list('limit=0&status=nope&x=1', 'limit', 'status', 'x'),
  ...CURSORS.map((cursor) => ask(`${LIST}?cursor=${cursor}`, {}, INVALID_CURSOR, { instance: LIST })),
  query(`/avatars/${ID}/cancel`, 'force=true', ['force'], { method: 'POST' }),
  query(`/avatars/${ID}`, 'force=true', ['force'], { method: 'DELETE' }),
];
