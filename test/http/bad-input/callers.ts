/** Requests without a key that is good, and with one that is not good for it. To a gateway that knows callers. */

import { keyOf } from '../../support/callers.js';
import { bearer } from '../../support/directory.js';
import { URLS } from '../../support/requests.js';
import { ask, type BadInput, byHand, FORBIDDEN, raw, UNAUTHORIZED } from './case.js';

const KEY = keyOf('team-a');
const EXPIRED = keyOf('former');
const ID = `av_${'0'.repeat(32)}`;

/** The callers that the cases are about. */
export const CALLERS = { 'team-a': {}, former: { expires_at: '2020-01-01T00:00:00Z' } };

const CHALLENGE = 'Bearer realm="avatar-gateway"';
const INVALID = `${CHALLENGE}, error="invalid_token"`;

const json = { 'content-type': 'application/json' };
const ROUTES: readonly (readonly [string, RequestInit])[] = [
  ['/avatars', { method: 'POST', headers: json, body: JSON.stringify(URLS) }],
  ['/avatars', { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<' }],
  ['/avatars', {}],
  ['/avatars?limit=0', {}],
  ['/avatars/check', { method: 'POST', headers: json, body: JSON.stringify(URLS) }],
  ['/avatars/events', {}],
  [`/avatars/${ID}`, {}],
  [`/avatars/${ID}`, { method: 'HEAD' }],
  [`/avatars/${ID}`, { method: 'DELETE' }],
  [`/avatars/${ID}/video`, {}],
  [`/avatars/${ID}/cancel`, { method: 'POST' }],
];

const withHeaders = (init: RequestInit, headers: Record<string, string>) => ({
  ...init,
  headers: { ...(init.headers as Record<string, string>), ...headers },
});

const unknown: BadInput[] = ROUTES.flatMap(([path, init]) => [
  ask(path, init, UNAUTHORIZED, { headers: { 'www-authenticate': CHALLENGE } }),
  ask(path, withHeaders(init, bearer('avk_wrong')), UNAUTHORIZED, {
    headers: { 'www-authenticate': INVALID },
  }),
]);

/** What is not exactly `Bearer <key>`, be the key right or not. */
const SPELLINGS = [
  `bearer ${KEY}`,
  `BEARER ${KEY}`,
  `Bearer  ${KEY}`,
  `Bearer\t${KEY}`,
  `Bearer:${KEY}`,
  `Bearer${KEY}`,
  'Bearer',
  KEY,
  `Token ${KEY}`,
  `Basic ${Buffer.from(`team-a:${KEY}`).toString('base64')}`,
  `Bearer ${KEY}, Bearer ${KEY}`,
  `Bearer "${KEY}`,
  `Bearer ${KEY} ${KEY}`,
];
const spellings: BadInput[] = SPELLINGS.map((authorization) =>
  ask(`/avatars/${ID}`, { headers: { authorization } }, UNAUTHORIZED),
);

/** Keys in the right form. */
const keys: BadInput[] = [
  EXPIRED,
  KEY.toUpperCase(),
  KEY.slice(0, -1),
  `${KEY}0`,
  '__proto__',
  'constructor',
  'x'.repeat(8_000),
].map((key) =>
  ask(`/avatars/${ID}`, { headers: bearer(key) }, UNAUTHORIZED, { headers: { 'www-authenticate': INVALID } }),
);

const good = `Authorization: Bearer ${KEY}`;
const byHands: BadInput[] = [
  raw('the right key twice', byHand(`GET /avatars/${ID}`, [good, good]), UNAUTHORIZED, {
    instance: `/avatars/${ID}`,
  }),
  raw(
    'a wrong key behind the right one',
    byHand(`GET /avatars/${ID}`, [good, 'Authorization: Bearer avk_wrong']),
    UNAUTHORIZED,
    { instance: `/avatars/${ID}` },
  ),
  raw('a key in the query', byHand(`GET /avatars?access_token=${KEY}`), UNAUTHORIZED, {
    instance: '/avatars',
  }),
];

const resolve = { method: 'POST', headers: { ...json, ...bearer(KEY) }, body: '{"made":false}' };

const all: readonly BadInput[] = [
  ...unknown,
  ...spellings,
  ...keys,
  ...byHands,
  ask(`/avatars/${ID}/resolve`, resolve, FORBIDDEN),
];

export const callerCases: readonly BadInput[] = all.map((each) => ({
  ...each,
  name: `where callers are known: ${each.name}`,
}));
