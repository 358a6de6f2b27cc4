/** What a Redis URL says, and that a refusal quotes nothing of it. */

import fc from 'fast-check';
import t from 'tap';
import { parseRedisUrl } from '../../src/store/redis/connection/address.js';

const PLAIN = { tls: false, username: null, password: null, db: 0 };
const SECRET = 'hush-4711';

function refusal(url: string): string {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

t.test('one Redis', async (t) => {
  const address = { kind: 'standalone', ...PLAIN };
  const local = { host: 'localhost', port: 6379 };
  t.strictSame(parseRedisUrl('redis://localhost'), { ...address, endpoint: local });
  t.strictSame(parseRedisUrl('redis://localhost/'), { ...address, endpoint: local });
  t.strictSame(parseRedisUrl('redis://redis_1.example.com:7000/15'), {
    ...address,
    endpoint: { host: 'redis_1.example.com', port: 7000 },
    db: 15,
  });
  t.strictSame(parseRedisUrl('rediss://10.0.0.1'), {
    ...address,
    tls: true,
    endpoint: { host: '10.0.0.1', port: 6379 },
  });
});

t.test('Sentinels', async (t) => {
  t.strictSame(parseRedisUrl('redis+sentinel://one,two:7001,[::1]:7002/my-master/2'), {
    kind: 'sentinel',
    ...PLAIN,
    sentinels: [
      { host: 'one', port: 26_379 },
      { host: 'two', port: 7001 },
      { host: '::1', port: 7002 },
    ],
    master: 'my-master',
    db: 2,
  });
  t.match(parseRedisUrl('rediss+sentinel://one/m'), { kind: 'sentinel', tls: true, master: 'm', db: 0 });
});

t.test('a Cluster', async (t) => {
  t.strictSame(parseRedisUrl('redis+cluster://one,two:7001'), {
    kind: 'cluster',
    ...PLAIN,
    seeds: [
      { host: 'one', port: 6379 },
      { host: 'two', port: 7001 },
    ],
  });
  t.match(parseRedisUrl('rediss+cluster://one/'), { kind: 'cluster', tls: true, db: 0 });
});

t.test('an IPv6 address stands in brackets, with a port or without', async (t) => {
  t.match(parseRedisUrl('redis://[2001:DB8::17]'), { endpoint: { host: '2001:DB8::17', port: 6379 } });
  t.match(parseRedisUrl('redis://u:p@[::ffff:10.0.0.1]:7000/1'), {
    endpoint: { host: '::ffff:10.0.0.1', port: 7000 },
    db: 1,
  });
});

t.test('user and password, percent-encoded where they need it', async (t) => {
  const table: readonly [string, string | null, string | null][] = [
    ['user:password', 'user', 'password'],
    [':password', null, 'password'],
    ['user', 'user', null],
    ['user:', 'user', null],
    ['', null, null],
    ['a%3Ab:p%40ss%2F%25%20%C3%BC', 'a:b', 'p@ss/% ü'],
    ['user:with:colons', 'user', 'with:colons'],
    ['user:p@ss', 'user', 'p@ss'],
    ['user:p/a?s#s', 'user', 'p/a?s#s'],
  ];
  for (const [login, username, password] of table) {
    for (const [url, kind] of [
      [`redis://${login}@host`, 'standalone'],
      [`redis+sentinel://${login}@host/m`, 'sentinel'],
      [`redis+cluster://${login}@host`, 'cluster'],
    ] as const) {
      t.match(parseRedisUrl(url), { kind, username, password }, url);
    }
  }
});

t.test('whatever a password holds, it arrives', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 });
  fc.assert(
    fc.property(text, text, (username, password) => {
      const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
      const address = parseRedisUrl(`redis://${login}@host:7000/3`);
      return address.username === username && address.password === password && address.db === 3;
    }),
  );
});

const FORM = 'has no known form';
const HOST = 'has a host that cannot be read';
const PORT = 'has a port that is none';
const DATABASE = 'has a database that is not a number';
const MASTER = 'needs the name of the master behind the sentinels';
const LOGIN = `u:${SECRET}@`;

t.test('each refusal says what is wrong', async (t) => {
  const table: readonly [string, string][] = [
    ['', FORM],
    ['localhost:6379', FORM],
    [`http://${LOGIN}host`, FORM],
    [`redis:${LOGIN}host`, FORM],
    [`redis+socket://${LOGIN}host`, FORM],
    [`redis://${LOGIN}host?db=1`, FORM],
    [`redis://${LOGIN}host/0#x`, FORM],
    [`redis://${LOGIN}ho\nst`, HOST],
    ['redis://', HOST],
    [`redis://${LOGIN}`, HOST],
    [`redis://${LOGIN}ho st`, HOST],
    [`redis://${LOGIN}::1`, HOST],
    [`redis://${LOGIN}[::1`, HOST],
    [`redis://${LOGIN}[host]`, HOST],
    [`redis://${LOGIN}host:`, HOST],
    [`redis://${LOGIN}host:port`, HOST],
    [`redis+cluster://${LOGIN}one,,two`, HOST],
    [`redis+sentinel://${LOGIN}one,/m`, HOST],
    [`redis://${LOGIN}host:0`, PORT],
    [`redis://${LOGIN}host:65536`, PORT],
    [`redis+cluster://${LOGIN}one:1,two:99999`, PORT],
    [`redis://${LOGIN}host/zero`, DATABASE],
    [`redis://${LOGIN}host/-1`, DATABASE],
    [`redis://${LOGIN}host/1/2`, DATABASE],
    [`redis://${LOGIN}host/1234567`, DATABASE],
    [`redis+sentinel://${LOGIN}one/m/one`, DATABASE],
    [`redis+sentinel://${LOGIN}one`, MASTER],
    [`redis+sentinel://${LOGIN}one/`, MASTER],
    [`redis+sentinel://${LOGIN}one/my master`, MASTER],
    [`redis+sentinel://${LOGIN}one/m/0/1`, 'has more behind the database than belongs there'],
    [`redis+cluster://${LOGIN}one/0`, 'names a database, and a cluster has one only'],
    [`redis://${LOGIN}one,two`, 'has several hosts, which only redis+sentinel:// and redis+cluster:// have'],
    [`redis://${SECRET}%:x@host`, 'has a user or password that is not percent-encoded'],
    [`redis://u:${SECRET}%zz@host`, 'has a user or password that is not percent-encoded'],
  ];
  for (const [url, what] of table) t.equal(refusal(url), `the Redis URL ${what}`, url);
});

t.test('no refusal quotes the URL, however it is spoiled', async () => {
  const piece = fc.oneof(
    fc.constantFrom('redis://', 'rediss+sentinel://', 'redis+cluster://', '@', ':', '/', ',', '%', '[', ' '),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.array(piece, { maxLength: 6 }), (before, after) => {
      const url = [...before, SECRET, ...after].join('');
      try {
        parseRedisUrl(url);
        return true;
      } catch (error) {
        return (
          error instanceof TypeError && !String(error.stack).includes(SECRET) && error.cause === undefined
        );
      }
    }),
    { numRuns: 2_000 },
  );
});
