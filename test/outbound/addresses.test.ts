/** Which addresses may be connected to, against IANA's special-purpose registries. */

import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { isInNetworks, mayConnectTo, parseNetworks } from '../../src/outbound/addresses.js';

/** IANA's special-purpose address registries (RFC 6890) and what else is no unicast of the internet. */
const SPECIAL = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24'],
  ...['192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '255.255.255.255/32', '168.63.129.16/32'],
  ...['::/128', '::1/128', '::/96', '::ffff:0:0:0/96', '64:ff9b:1::/48', '100::/64', '100:0:0:1::/64'],
  ...['2001::/23', '2001::/32', '2001:2::/48', '2001:10::/28', '2001:20::/28', '2001:30::/28'],
  ...['2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20', '5f00::/16', 'fc00::/7'],
  ...['fe80::/10', 'fec0::/10', 'ff00::/8', '4000::/2', '8000::/1', '::/3'],
] as const;

/** Node's own matcher, so that the one under test is not asked about itself. */
function listOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
const V4 = listOf(SPECIAL.filter((cidr) => !cidr.includes(':')));
const V6 = listOf(SPECIAL.filter((cidr) => cidr.includes(':')));

const spell4 = (value: bigint) => [24n, 16n, 8n, 0n].map((at) => (value >> at) & 255n).join('.');
const spell6 = (value: bigint) =>
  Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16)).join(':');

function numberOf(address: string): bigint {
  if (isIP(address) === 4) return address.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [head = [], tail = []] = groups.map((part) => part.split(':').filter((group) => group !== ''));
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

/** An address of a network: its first, its last, or any. */
function within(cidr: string): fc.Arbitrary<string> {
  const [first = '', bits] = cidr.split('/');
  const width = isIP(first) === 4 ? 32 : 128;
  const last = (1n << BigInt(width - Number(bits))) - 1n;
  const offset = fc.oneof(fc.constantFrom(0n, last), fc.bigInt({ min: 0n, max: last }));
  return offset.map((at) => (width === 32 ? spell4 : spell6)(numberOf(first) + at));
}
const V4_ANY = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(spell4);
const hidden = (prefix: bigint, address: string) => spell6((prefix << 32n) + numberOf(address));
const MAPPED = 0xffffn;
const NAT64 = 0x64ff9bn << 64n;

for (const cidr of SPECIAL) {
  t.test(`${cidr} is refused`, async (t) => {
    fc.assert(
      fc.property(within(cidr), (address) => {
        // ::ffff:0:0/96 and 64:ff9b::/96 lie in ::/3 and are what their IPv4 address is.
        fc.pre(!/^(0:0:0:0:0:ffff|64:ff9b:0:0:0:0):/.test(address));
        if (mayConnectTo(address, [])) return false;
        if (isIP(address) === 6) return true;
        return [MAPPED, NAT64].every((prefix) => !mayConnectTo(hidden(prefix, address), []));
      }),
    );
    t.pass();
  });
}

t.test('IPv4: exactly what no list has, also mapped and through NAT64', async (t) => {
  fc.assert(
    fc.property(fc.oneof(V4_ANY, fc.constantFrom(...SPECIAL.slice(0, 20)).chain(within)), (address) => {
      const expected = !V4.check(address, 'ipv4');
      return [address, hidden(MAPPED, address), hidden(NAT64, address)].every(
        (spelling) => mayConnectTo(spelling, []) === expected,
      );
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

t.test('IPv6: exactly what no list has', async (t) => {
  const address = fc.oneof(
    within('::/0').filter((one) => !/^(0:0:0:0:0:ffff|64:ff9b:0:0:0:0):/.test(one)),
    within('2000::/3'),
    within('2001::/16'),
  );
  fc.assert(
    fc.property(address, (one) => mayConnectTo(one, []) === !V6.check(one, 'ipv6')),
    { numRuns: 5000 },
  );
  t.pass();
});

t.test('the public internet', async (t) => {
  const known = ['1.1.1.1', '8.8.8.8', '93.184.215.14', '172.15.255.255', '172.32.0.0', '100.63.255.255'];
  for (const address of [...known, '2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450::1']) {
    t.ok(mayConnectTo(address, []), address);
  }
});

t.test('cloud metadata services', async (t) => {
  const known = ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16'];
  for (const address of [...known, 'fd00:ec2::254', 'fd20:ce::254', 'fe80::a9fe:a9fe']) {
    t.notOk(mayConnectTo(address, []), address);
  }
});

t.test('what is no address, or one that hides another', async (t) => {
  for (const text of [
    '',
    'localhost',
    '127.1',
    '0x7f.1',
    '8.8.8',
    '08.8.8.8',
    '1.1.1.1/8',
    '[2606::1]',
    ' 1.1.1.1',
  ]) {
    t.notOk(mayConnectTo(text, parseNetworks('0.0.0.0/0, ::/0')), text);
  }
  for (const address of ['fe80::1%eth0', '::8.8.8.8', '::808:808', '2002:808:808::']) {
    t.notOk(mayConnectTo(address, []), address);
  }
});

t.test('an allow-list opens its networks and nothing else', async (t) => {
  const cidrs = SPECIAL.filter((cidr) => !/^(::\/|::ffff:0:0)/.test(cidr));
  const pair = fc.constantFrom(...cidrs).chain((cidr) => fc.tuple(fc.constant(cidr), within(cidr)));
  fc.assert(
    fc.property(pair, fc.constantFrom(...SPECIAL).chain(within), ([cidr, inside], other) => {
      const allowed = parseNetworks(cidr);
      const isInside = listOf([cidr]).check(other, isIP(other) === 4 ? 'ipv4' : 'ipv6');
      return (
        mayConnectTo(inside, allowed) &&
        mayConnectTo(other, allowed) === (isInside || mayConnectTo(other, []))
      );
    }),
    { numRuns: 2000 },
  );
  const allowed = parseNetworks('10.1.0.0/16');
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3']) {
    t.ok(mayConnectTo(address, allowed), address);
  }
  for (const address of ['10.2.0.0', '10.0.255.255', '::ffff:10.2.0.0', '::10.1.2.3', '2002:a01:203::']) {
    t.notOk(mayConnectTo(address, allowed), address);
  }
});

t.test('[E22] an entry with ! closes its network, public or not, and inside one that is open', async (t) => {
  const networks = parseNetworks('10.0.0.0/8, !10.9.0.0/16, !8.8.8.0/24, !2001:4860:4860::/96');
  const cases: readonly (readonly [string, boolean])[] = [
    ['8.8.8.8', false],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::8.8.8.8', false],
    ['8.8.4.4', true],
    ['10.1.2.3', true],
    ['10.9.2.3', false],
    // As through a NAT64 with a prefix of the network's own.
    ['2001:4860:4860::a00:1', false],
    ['2001:4860:4861::8888', true],
  ];
  for (const [address, may] of cases) t.equal(mayConnectTo(address, networks), may, address);
  t.throws(() => parseNetworks('!10.0.0.1/8'), { message: /^"!10\.0\.0\.1\/8" has bits set/ });
  t.throws(() => parseNetworks('!!10.0.0.0/8'), { message: /is not a network/ });
});

t.test('the list of networks', async (t) => {
  t.strictSame(parseNetworks(''), []);
  t.strictSame(parseNetworks(' , '), []);
  const read = parseNetworks('10.0.0.0/8, fd00:1::/32,127.0.0.1/32').map(
    ([first, bits]) => `${first}/${bits}`,
  );
  t.strictSame(read, ['10.0.0.0/8', 'fd00:1::/32', '127.0.0.1/32']);

  const words = 'is not a network such as 10.1.0.0/16 or fd00:1::/32';
  const no = ['10.0.0.1', '::1', 'localhost/8', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/-1', '10.0.0.0/8/8'];
  const odd = [
    '010.0.0.0/8',
    '0x0a.0.0.0/8',
    '10/8',
    '10.0.0.0/',
    '10.0.0.0/ 8',
    '/8',
    'fe80::%1/10',
    '1.2.3.4/1e1',
  ];
  for (const entry of [...no, ...odd]) {
    t.throws(() => parseNetworks(`192.168.0.0/16, ${entry}`), new TypeError(`"${entry}" ${words}`), entry);
  }
  t.throws(() => parseNetworks('10.0.0.1/8'), {
    message: '"10.0.0.1/8" has bits set after its prefix; the network is 10.0.0.0/8',
  });
  t.throws(() => parseNetworks('fd00::1/64'), {
    message: '"fd00::1/64" has bits set after its prefix; the network is fd00::/64',
  });
  for (const entry of ['::ffff:10.0.0.0/104', '::ffff:0:0/96', '64:ff9b::a00:0/104']) {
    t.throws(() => parseNetworks(entry), {
      message: `"${entry}" stands for IPv4 addresses; give the IPv4 network`,
    });
  }
});

t.test('whether an address is in a network', async (t) => {
  const networks = parseNetworks('10.1.0.0/16, fd00:1::/32');
  for (const address of ['10.1.0.0', '10.1.255.255', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd00:1::9']) {
    t.ok(isInNetworks(address, networks), address);
  }
  for (const address of [
    '10.2.0.0',
    '::ffff:10.2.0.0',
    '::10.1.2.3',
    'fd00:2::',
    '',
    '10.1',
    '10.1.2.3:80',
  ]) {
    t.notOk(isInNetworks(address, networks), address);
  }
  t.notOk(isInNetworks('10.1.0.0', []));
});
