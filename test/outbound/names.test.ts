/** Names: what was checked is what is connected to, and nothing is looked up twice. */

import { EventEmitter, once } from 'node:events';
import t from 'tap';
import type { Fetched } from '../../src/domain/media/fetched.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { createMediaFetcher, type Lookup } from '../../src/outbound/fetcher.js';
import { ALLOWED, answering, failed, fetcherFor, httpServer, NOT_PUBLIC, namesOf } from './support.js';

const FILE: Fetched = { kind: 'bytes', bytes: Buffer.from('file') };

/** A name that means another address at each look-up, the last one from then on. */
function rebinding(...addresses: readonly string[]): { lookup: Lookup; asked: string[] } {
  const asked: string[] = [];
  const lookup: Lookup = async (hostname) => {
    const address = addresses[Math.min(asked.length, addresses.length - 1)] ?? '';
    asked.push(hostname);
    return [{ address, family: address.includes(':') ? 6 : 4 }];
  };
  return { lookup, asked };
}

for (const inside of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
  t.test(`rebinding to ${inside} between two looks-up`, async (t) => {
    const server = await httpServer(t, answering(200, {}, 'file'));
    const host = inside === '::1' ? '::1' : '127.0.0.1';
    const secret = await httpServer(t, answering(200, {}, 'secret'), host, server.port);
    const { lookup, asked } = rebinding(ALLOWED, inside);
    const fetcher = fetcherFor(t, { lookup });
    const url = `http://rebind.test:${server.port}/`;
    t.strictSame(await fetcher.fetch(url, 100), FILE);
    t.equal(asked.length, 1, 'one look-up for one connection');
    t.strictSame(await fetcher.fetch(url, 100), NOT_PUBLIC);
    t.equal(asked.length, 2);
    t.equal(server.sockets.length, 1, 'and no connection is used again');
    t.equal(secret.sockets.length, 0);
  });

  t.test(`rebinding to ${inside} between two redirects`, async (t) => {
    const server = await httpServer(t, answering(302, { location: '/again' }));
    const host = inside === '::1' ? '::1' : '127.0.0.1';
    const secret = await httpServer(t, answering(200, {}, 'secret'), host, server.port);
    const { lookup, asked } = rebinding(ALLOWED, ALLOWED, inside);
    const answer = await fetcherFor(t, { lookup }).fetch(`http://rebind.test:${server.port}/`, 100);
    t.strictSame(answer, NOT_PUBLIC);
    t.equal(asked.length, 3);
    t.equal(server.sockets.length, 2);
    t.equal(secret.sockets.length, 0);
  });
}

t.test('a public address is tried by no name that has an inner one, too', async (t) => {
  const server = await httpServer(t, answering(200, {}, 'file'));
  const lookup = namesOf({ 'mixed.test': [ALLOWED, '10.0.0.1'], 'fine.test': [ALLOWED, ALLOWED] });
  const fetcher = fetcherFor(t, { lookup });
  t.strictSame(await fetcher.fetch(`http://mixed.test:${server.port}/`, 100), NOT_PUBLIC);
  t.equal(server.sockets.length, 0);
  t.strictSame(await fetcher.fetch(`http://fine.test:${server.port}/`, 100), FILE);
  t.equal(server.requests[0]?.headers.host, `fine.test:${server.port}`);
});

t.test('the second address is tried where the first does not answer', async (t) => {
  const server = await httpServer(t, answering(200, {}, 'file'));
  const lookup = namesOf({ 'two.test': ['127.0.0.3', ALLOWED] });
  const fetcher = fetcherFor(t, { lookup, allowedNetworks: parseNetworks('127.0.0.2/31') });
  t.strictSame(await fetcher.fetch(`http://two.test:${server.port}/`, 100), FILE);
});

t.test('IPv6', async (t) => {
  const server = await httpServer(t, answering(200, {}, 'file'), '::1');
  const lookup = namesOf({ 'six.test': ['::1'] });
  const fetcher = fetcherFor(t, { lookup, allowedNetworks: parseNetworks('::1/128') });
  t.strictSame(await fetcher.fetch(server.origin, 100), FILE);
  t.strictSame(await fetcher.fetch(`http://six.test:${server.port}`, 100), FILE);
  t.equal(server.requests[0]?.headers.host, `[::1]:${server.port}`);
});

const FAILURES: readonly (readonly [what: string, lookup: Lookup, reason: string])[] = [
  ['is not found', namesOf({}), 'host name not found'],
  ['means nothing', async () => [], 'host name not found'],
  [
    'cannot be looked up',
    async () => Promise.reject(Object.assign(new Error('EAI_AGAIN secret.test'), { code: 'EAI_AGAIN' })),
    'host name look-up failed',
  ],
];
for (const [what, lookup, reason] of FAILURES) {
  t.test(`a name that ${what}`, async (t) => {
    const fetcher = fetcherFor(t, { lookup });
    for (const scheme of ['http', 'https']) {
      t.strictSame(await fetcher.fetch(`${scheme}://secret.test/`, 100), failed(reason));
    }
  });
}

t.test('a look-up that takes too long, and what it finds then is not connected to', async (t) => {
  const server = await httpServer(t, answering(200, {}, 'file'));
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  const lookup: Lookup = async (hostname) => {
    if (hostname === 'slow.test') await opened;
    return [{ address: ALLOWED, family: 4 }];
  };
  const slow = fetcherFor(t, { lookup, timeoutMs: 50 });
  const answer = await slow.fetch(`http://slow.test:${server.port}/`, 100);
  t.strictSame(answer, failed('not complete within 0.05 s'));
  gate.emit('open');
  t.strictSame(await fetcherFor(t, { lookup }).fetch(`http://fast.test:${server.port}/`, 100), FILE);
  t.equal(server.sockets.length, 1, "only the second's");
});

t.test('the names of this machine are looked up by default', async (t) => {
  const fetcher = createMediaFetcher({ timeoutMs: 20_000, allowedNetworks: [], userAgent: 'test' });
  t.teardown(() => fetcher.close());
  t.strictSame(await fetcher.fetch('http://localhost:1/', 100), NOT_PUBLIC);
});
