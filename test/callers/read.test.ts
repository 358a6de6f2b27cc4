/** What may stand in the file of callers, and what is said of what may not. */

import t from 'tap';
import { type CallersError, readCallers } from '../../src/callers/read.js';

const HASH = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const SECRET = `whsec_${Buffer.alloc(32, 'hush').toString('base64')}`;

const one = (...members: string[]) =>
  `callers:\n  - name: shop\n    key_sha256: ${HASH}\n${members.map((line) => `    ${line}\n`).join('')}`;

function refusal(text: string): string {
  try {
    readCallers(text);
  } catch (error) {
    return (error as CallersError).message;
  }
  return 'accepted';
}

t.test('all there is to be said of one, in YAML and in JSON', (t) => {
  const text = one(
    'modes: [std]',
    'requests_per_minute: 60',
    'unfinished_avatars: 5',
    'queue_share: 3',
    'usd_per_day: 0.1003',
    'usd_per_month: 0',
    `webhook_secrets: [${SECRET}]`,
    "callback_hosts: [Hooks.Example.com, '*.shop.test', '[::1]', 10.0.0.7]",
    'admin: true',
    'expires_at: 2027-01-31T00:00:00+01:00',
  );
  const { callers, document } = readCallers(text);
  const expected = {
    caller: {
      name: 'shop',
      admin: true,
      modes: new Set(['std']),
      requestsPerMinute: 60,
      maxUnfinished: 5,
      queueShare: 3,
      caps: { day: 100_300, month: 0 },
      webhookSecrets: [SECRET],
      callbackHosts: ['hooks.example.com', '*.shop.test', '[::1]', '10.0.0.7'],
    },
    keyHashes: [Buffer.from(HASH, 'hex')],
    expiresAt: Date.UTC(2027, 0, 30, 23),
  };
  t.strictSame(callers, [expected]);
  t.strictSame(readCallers(JSON.stringify(document.toJS())).callers, [expected]);
  t.end();
});

t.test('what is left out', (t) => {
  t.match(readCallers(one()).callers, [
    {
      caller: {
        admin: false,
        modes: new Set(['std', 'pro']),
        requestsPerMinute: null,
        maxUnfinished: null,
        queueShare: 1,
        caps: { day: null, month: null },
        webhookSecrets: [],
        callbackHosts: null,
      },
      expiresAt: null,
    },
  ]);
  t.strictSame(readCallers('callers: []').callers, [], 'nobody may call');
  const two = one().replace(HASH, `[${HASH}, ${OTHER.toUpperCase()}]`);
  t.strictSame(
    readCallers(two).callers[0]?.keyHashes.map((hash) => hash.toString('hex')),
    [HASH, OTHER],
  );
  t.end();
});

t.test('what is wrong is named with its line, and no value is shown', (t) => {
  const count = 'must be a whole number from 1 to 1000000';
  const usd = 'must be an amount from 0 to 1000000 US dollars, with at most six decimals';
  const host =
    'must be a list of hosts as they stand in a URL, without a port, "*." before a domain for all below it';
  const secret = 'must be a list of one or two of whsec_ and the base64 of 24 to 64 bytes';
  const hash = 'must be the SHA-256 of a key as 64 hexadecimal digits, or a list of one or two';
  const name = 'must be up to 64 of a-z, 0-9, ".", "_" and "-", and begin with a letter or a digit';
  const time = 'must be a time such as 2027-01-31T00:00:00Z';
  const known =
    'is not known here, but name, key_sha256, modes, requests_per_minute, unfinished_avatars, queue_share, usd_per_day, usd_per_month, webhook_secrets, callback_hosts, admin, expires_at';
  const second = (text: string) => `${one()}${text}`;
  const cases: readonly (readonly [text: string, message: string])[] = [
    ['', 'callers is missing, the list of those who may call'],
    ['hush', 'callers is missing, the list of those who may call'],
    ['- name: shop', 'callers is missing, the list of those who may call'],
    ['callers:\n', 'callers (line 1) must be a list'],
    ['\ncallers: []\nclients: []', 'clients (line 3) is not known here, but callers'],
    ['\nclients:\n- name: shop', 'clients (line 2) is called callers now: write "callers" in its place'],
    ['callers:\n- shop', 'callers[0] (line 2) must be a caller with its members'],
    ['callers:\n- key_sha256: x', 'callers[0].name (line 2) is missing'],
    ['callers:\n- name: shop', 'callers[0].key_sha256 (line 2) is missing'],
    [one().replace('shop', 'Shop'), `callers[0].name (line 2) ${name}`],
    [one().replace('shop', '7'), `callers[0].name (line 2) ${name}`],
    [
      one().replace('shop', 'anonymous'),
      'callers[0].name (line 2) must be another one: those without a key have that name',
    ],
    [one().replace(HASH, 'hush'), `callers[0].key_sha256 (line 3) ${hash}`],
    [one().replace(HASH, `[${HASH}, hush]`), `callers[0].key_sha256 (line 3) ${hash}`],
    [one().replace(HASH, '[]'), `callers[0].key_sha256 (line 3) ${hash}`],
    [one().replace(HASH, `[${HASH}, ${HASH}]`), 'callers[0].key_sha256 (line 3) has the same twice'],
    [
      second(`  - name: shop\n    key_sha256: ${OTHER}`),
      'callers[1].name (line 4) is the name of callers[0] already',
    ],
    [
      second(`  - name: other\n    key_sha256: [${OTHER}, ${HASH}]`),
      'callers[1].key_sha256 (line 5) is a key of callers[0] already',
    ],
    [one('queue_share: 101'), 'callers[0].queue_share (line 4) must be a whole number from 1 to 100'],
    [one('queue_share:'), 'callers[0].queue_share (line 4) must be a whole number from 1 to 100'],
    [one('queue_shares: 1'), `callers[0].queue_shares (line 4) ${known}`],
    [one(`agk_${'x'.repeat(43)}: 1`), `callers[0].? (line 4) ${known}`],
    [one('requests_per_minute: 0'), `callers[0].requests_per_minute (line 4) ${count}`],
    [one('requests_per_minute: "60"'), `callers[0].requests_per_minute (line 4) ${count}`],
    [one('unfinished_avatars: 1.5'), `callers[0].unfinished_avatars (line 4) ${count}`],
    [one('usd_per_day: -1'), `callers[0].usd_per_day (line 4) ${usd}`],
    [one('usd_per_day: 0.1000005'), `callers[0].usd_per_day (line 4) ${usd}`],
    [one('usd_per_month: .inf'), `callers[0].usd_per_month (line 4) ${usd}`],
    [one('modes: [std, max]'), 'callers[0].modes[1] (line 4) must be a list of std, pro or both'],
    [one('modes: []'), 'callers[0].modes (line 4) must be a list of std, pro or both'],
    [one(`webhook_secrets: ${SECRET}`), `callers[0].webhook_secrets (line 4) ${secret}`],
    [
      one('webhook_secrets:', `  - ${SECRET}`, '  - hush'),
      `callers[0].webhook_secrets[1] (line 6) ${secret}`,
    ],
    [one('callback_hosts: [a.test, "b.test:80"]'), `callers[0].callback_hosts[1] (line 4) ${host}`],
    [one('callback_hosts: [127.1]'), `callers[0].callback_hosts[0] (line 4) ${host}`],
    [one('callback_hosts: ["a.*.test"]'), `callers[0].callback_hosts[0] (line 4) ${host}`],
    [one('admin: "yes"'), 'callers[0].admin (line 4) must be true or false'],
    [one('expires_at: 2027-01-31'), `callers[0].expires_at (line 4) ${time}`],
    [one('expires_at: 2027-02-30T00:00:00Z'), `callers[0].expires_at (line 4) ${time}`],
    [one('admin: true', 'admin: true'), 'what is at line 5, column 5 is a member that is there already'],
    ['{"callers":[],"callers":[]}', 'what is at line 1, column 15 is a member that is there already'],
    [
      one('modes: &m [std]').concat('  - *m\n'),
      'what is at line 5, column 5 is an alias: write out what it stands for',
    ],
    [one('admin: !yes true'), 'what is at line 4, column 12 has a tag: there are none here'],
    [one('admin: a: hush'), 'what is at line 4, column 12 is no YAML or JSON (BLOCK_AS_IMPLICIT_KEY)'],
    ['callers: []\n---\ncallers: []', 'what is at line 2, column 1 is no YAML or JSON (MULTIPLE_DOCS)'],
  ];
  for (const [text, message] of cases) t.equal(refusal(text), message, text.slice(0, 200));
  t.end();
});

t.test('too much', (t) => {
  t.match(refusal(`callers: ${'['.repeat(50_000)}`), /deep|RESOURCE_EXHAUSTION/);
  t.equal(refusal(`{"callers":[${'0,'.repeat(10_000)}0]}`), 'callers are 10001: there may be 10000');
  t.end();
});
