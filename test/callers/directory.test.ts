import { randomBytes } from 'node:crypto';
import t from 'tap';
import { Directory } from '../../src/callers/directory.js';
import { hashOf, newKey } from '../../src/callers/key.js';
import { readCallers } from '../../src/callers/read.js';

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
