/** `url-not-allowed`: nothing that leads inside is connected to, however it is spelt. */

import { createServer } from 'node:http';
import t from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { answering, canary, fetcherFor, httpServer, listen, NOT_PUBLIC, namesOf } from './support.js';

/** Hosts that lead to this machine: a server on all its addresses would be reached. */
const HERE = [
  ...['127.0.0.1', '127.1', '127.0.1', '127.0.0.1.', '127.0.0.3', '127.255.255.254', '127.000.000.001'],
  ...['2130706433', '0x7f000001', '0x7F000001', '0x7f.1', '0x7f.0x0.0x0.0x1', '0177.0.0.1', '017700000001'],
  ...['0x7f.0.1', '0177.1', '00000177.0.0.1', '%31%32%37.0.0.1', '127%2e0%2e0%2e1', '0.0.0.0', '0', '0x0'],
  ...['localhost', 'localhost.', 'LOCALHOST', 'LocalHost.', 'a.localhost', 'a.b.localhost.', '%6cocalhost'],
  ...[
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000:0000:0000:0000:0000:0000:0000:0001]',
    '[::0001]',
    '[::]',
    '[::0.0.0.1]',
  ],
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::FFFF:7F00:0001]', '[0:0:0:0:0:ffff:127.0.0.1]'],
  ...['[::ffff:0.0.0.0]', '[::ffff:0:0]'],
];

/** Hosts that lead elsewhere inside, or to what is no place at all. */
const ELSEWHERE = [
  // IPv4-compatible, 6to4, Teredo, NAT64, IPv4-translated: loopback in other clothes
  ...['[::127.0.0.1]', '[::7f00:1]', '[2002:7f00:1::]', '[2002:7f00:1::1]', '[2001::80ff:fffe]'],
  ...['[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[::ffff:0:127.0.0.1]'],
  // private
  ...[
    '10.0.0.1',
    '10.255.255.255',
    '10.1',
    '0x0a000001',
    '167772161',
    '012.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
  ],
  ...[
    '192.168.0.1',
    '192.168.1',
    '0xc0a80001',
    '3232235521',
    '0300.0250.0.1',
    '[::ffff:10.0.0.1]',
    '[::10.0.0.1]',
  ],
  ...[
    '[::ffff:192.168.0.1]',
    '[::ffff:ac10:1]',
    '[64:ff9b::10.0.0.1]',
    '[2002:a00:1::]',
    '100.64.0.1',
    '100.127.255.255',
  ],
  // link-local and the metadata services
  ...[
    '169.254.0.1',
    '169.254.169.254',
    '169.254.169.254.',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
  ],
  ...[
    '169.254.43518',
    '169.16689662',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
  ],
  ...[
    '169.254.170.2',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
  ],
  // IPv6's own: link-local, site-local, unique local, multicast, documentation, discard, and unassigned
  ...['[fe80::1]', '[febf::1]', '[fec0::1]', '[fc00::1]', '[fd12:3456:789a::1]', '[ff02::1]', '[ff0e::1]'],
  ...[
    '[2001:db8::1]',
    '[3fff::1]',
    '[5f00::1]',
    '[100::1]',
    '[100:0:0:1::1]',
    '[2001:2::1]',
    '[2001:20::1]',
    '[4000::1]',
  ],
  // the rest of IANA's registry for IPv4
  ...['0.0.0.1', '192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.1'],
  ...[
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '0xffffffff',
    '4294967295',
  ],
];

/** What names may resolve to: each of these, alone and behind public addresses. */
const ANSWERS = [
  ...[
    '127.0.0.1',
    '127.0.0.53',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
  ],
  ...[
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::8.8.8.8',
    '64:ff9b::7f00:1',
    'fe80::1',
  ],
  ...[
    'fe80::1%lo',
    'fd00:ec2::254',
    'fc00::1',
    '2002:7f00:1::',
    '2001::80ff:fffe',
    '198.18.0.1',
    '255.255.255.255',
  ],
  ...['127.1', 'localhost', ''],
];

let refused = 0;
let tried = 0;
const count = (is: boolean): void => {
  tried += 1;
  if (is) refused += 1;
};

t.test('the spellings of here do reach a server on all addresses, where that is allowed', async (t) => {
  const server = await canary(t);
  const fetcher = fetcherFor(t, { allowedNetworks: parseNetworks('127.0.0.0/8, 0.0.0.0/8, ::/127') });
  for (const host of HERE) {
    const before = server.sockets.length;
    const { kind } = await fetcher.fetch(`http://${host}:${server.port}/`, 100);
    t.equal(kind, 'bytes', host);
    t.equal(server.sockets.length, before + 1, host);
  }
});

for (const host of [...HERE, ...ELSEWHERE]) {
  t.test(`http://${host}`, async (t) => {
    const server = await canary(t);
    const fetcher = fetcherFor(t);
    for (const scheme of ['http', 'https', 'HTTP']) {
      const answer = await fetcher.fetch(`${scheme}://${host}:${server.port}/a.png?b=c`, 100);
      count(t.strictSame(answer, NOT_PUBLIC, scheme));
    }
    t.equal(server.sockets.length, 0);
  });

  t.test(`a redirect to http://${host}`, async (t) => {
    const inside = await canary(t);
    const location = `http://${host}:${inside.port}/`;
    const outside = await httpServer(t, answering(302, { location }));
    count(t.strictSame(await fetcherFor(t).fetch(outside.origin, 100), NOT_PUBLIC));
    t.equal(outside.requests.length, 1);
    t.equal(inside.sockets.length, 0);
  });
}

for (const address of ANSWERS) {
  t.test(`a name that means ${JSON.stringify(address)}, alone or among public addresses`, async (t) => {
    const inside = await canary(t);
    const outside = await httpServer(t, answering(302, { location: `http://only.test:${inside.port}` }));
    const lookup = namesOf({
      'only.test': [address],
      'only.test.': [address],
      'first.test': [address, '127.0.0.2'],
      'last.test': ['127.0.0.2', '2606:4700::1', address],
    });
    const fetcher = fetcherFor(t, { lookup });
    for (const name of ['only.test', 'ONLY.test', 'only.test.', 'first.test', 'last.test']) {
      const answer = await fetcher.fetch(`http://${name}:${inside.port}/`, 100);
      count(t.strictSame(answer, NOT_PUBLIC, name));
    }
    count(t.strictSame(await fetcher.fetch(`https://only.test:${inside.port}/`, 100), NOT_PUBLIC));
    count(t.strictSame(await fetcher.fetch(outside.origin, 100), NOT_PUBLIC));
    t.equal(inside.sockets.length, 0);
  });
}

t.test('the words name neither the address nor the host', async (t) => {
  const fetcher = fetcherFor(t, { lookup: namesOf({ 'intranet.test': ['10.1.2.3'] }) });
  const words = new Set<string>();
  for (const host of ['10.1.2.3', '[::1]', 'localhost', 'intranet.test']) {
    words.add(JSON.stringify(await fetcher.fetch(`http://${host}/`, 100)));
  }
  t.strictSame([...words], [JSON.stringify(NOT_PUBLIC)]);
});

t.test('an allow-list opens what it names and nothing beside it', async (t) => {
  const server = createServer((_request, response) => void response.end('file'));
  const { port } = await listen(t, server, '::');
  const lookup = namesOf({
    'files.test': ['127.0.0.7', '127.0.0.2'],
    'both.test': ['127.0.0.2', '127.0.0.8'],
  });
  const fetcher = fetcherFor(t, { allowedNetworks: parseNetworks('127.0.0.0/29, ::1/128'), lookup });
  const bytes = { kind: 'bytes', bytes: Buffer.from('file') };
  for (const host of ['127.0.0.1', '127.0.0.7', '[::1]', '[::ffff:127.0.0.7]', 'files.test', 'localhost']) {
    t.strictSame(await fetcher.fetch(`http://${host}:${port}`, 100), bytes, host);
  }
  for (const host of ['127.0.0.8', '[::ffff:127.0.0.8]', '[::]', 'both.test', '10.0.0.1']) {
    t.strictSame(await fetcher.fetch(`http://${host}:${port}`, 100), NOT_PUBLIC, host);
  }
});

t.test('count', async (t) => {
  t.comment(`${refused} of ${tried} ways inside refused`);
  t.equal(refused, tried);
  t.ok(tried > 500);
});
