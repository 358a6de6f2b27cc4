import { randomBytes } from 'node:crypto';
import t from 'tap';
import { Directory } from '../../src/callers/directory.js';
import { hashOf, newKey } from '../../src/callers/key.js';
import { readCallers } from '../../src/callers/read.js';
import type { Caller } from '../../src/domain/caller.js';

t.test('whose key it is', async (t) => {
  const [shop, next, old] = [newKey(), newKey(), newKey()];
  const hex = (key: string) => hashOf(key).toString('hex');
  const { callers } = readCallers(
    JSON.stringify({
      callers: [
        { name: 'shop', key_sha256: [hex(shop), hex(next)] },
        { name: 'old', key_sha256: hex(old), expires_at: '2027-01-01T00:00:00Z' },
      ],
    }),
  );
  let now = Date.UTC(2027, 0, 1) - 1;
  const directory = new Directory(callers, () => now);

  t.match(shop, /^agk_[\w-]{43}$/);
  t.not(newKey(), newKey());
  for (const key of [shop, next]) {
    t.match(directory.identify(key), { kind: 'known', caller: { name: 'shop', queueShare: 1 } });
  }
  for (const key of [
    '',
    shop.slice(0, -1),
    `${shop}A`,
    shop.toUpperCase(),
    hex(shop),
    'é',
    randomBytes(9000).toString('hex'),
  ]) {
    t.strictSame(directory.identify(key), { kind: 'unknown' }, `${key.length} characters`);
  }
  t.match(directory.identify(old), { kind: 'known', caller: { name: 'old' } });
  now += 1;
  t.strictSame(directory.identify(old), { kind: 'expired', name: 'old' });

  t.match(directory.find('old'), { name: 'old' }, 'an expired one is found by name');
  t.equal(directory.find('nobody'), null);
  t.equal(directory.find('__proto__'), null);
});

t.test('[E7] whether a key still is good for what it was', async (t) => {
  const hex = (key: string) => hashOf(key).toString('hex');
  const callersOf = (...callers: readonly object[]) => readCallers(JSON.stringify({ callers })).callers;
  const [shop, next, boss] = [newKey(), newKey(), newKey()];
  let now = 0;
  const first = new Directory(
    callersOf(
      { name: 'shop', key_sha256: [hex(shop), hex(next)], expires_at: '1970-01-01T00:00:02Z' },
      { name: 'boss', key_sha256: hex(boss), admin: true },
    ),
    () => now,
  );
  const callerIn = (directory: Directory, key: string) => {
    const identified = directory.identify(key);
    if (identified.kind !== 'known') throw new Error(identified.kind);
    return identified.caller;
  };
  const [one, other, chief] = [shop, next, boss].map((key) => callerIn(first, key)) as [
    Caller,
    Caller,
    Caller,
  ];
  const good = (directory: Directory) => [one, other, chief].map((caller) => directory.isCurrent(caller));
  t.strictSame(good(first), [true, true, true]);
  now = 2_000;
  t.strictSame(good(first), [false, false, true], 'expired');

  const second = new Directory(
    callersOf(
      { name: 'shop', key_sha256: hex(next), modes: ['std'] },
      { name: 'boss', key_sha256: hex(boss) },
    ),
    () => now,
    first,
  );
  t.strictSame(
    good(second),
    [false, true, false],
    'a key removed, one kept with other modes, an admin no more',
  );
  const third = new Directory(callersOf({ name: 'boss', key_sha256: hex(next) }), () => now, second);
  t.strictSame(good(third), [false, false, false], 'the key is of another');
  const fourth = new Directory(callersOf({ name: 'boss', key_sha256: hex(next) }), () => now, third);
  t.ok(fourth.isCurrent(callerIn(third, next)));
  t.notOk(fourth.isCurrent({ ...callerIn(third, next) }), 'only what it gave');
});
