/** Whose word is believed about where a request came from. */

import t from 'tap';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { startApp } from '../support/app.js';
import { URLS } from '../support/requests.js';

/** Otherwise nothing is taken from who comes through a proxy. */
const callers = { kind: 'anyone' } as const;

/** Each request of an own address of the caller, as a proxy tells it. */
const forwarded = (address: string) => ({ 'x-forwarded-for': address });

/** How many requests of two addresses behind this machine are answered, where each may make one a minute. */
async function answered(url: string, ...headers: Record<string, string>[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const each of headers) {
    const response = await fetch(`${url}/avatars`, { headers: each });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

t.test('a listed proxy is believed', async (t) => {
  const { url, logLines } = await startApp(t, {
    callers,
    rateLimitPerMinute: 1,
    trustedProxies: parseNetworks('127.0.0.0/8,10.9.0.0/16'),
  });
  t.strictSame(
    await answered(url, forwarded('192.0.2.1'), forwarded('192.0.2.2'), forwarded('192.0.2.1')),
    [200, 200, 429],
    'each caller is an address of its own',
  );
  t.strictSame(
    await answered(url, forwarded('192.0.2.9, 192.0.2.1'), forwarded('nonsense, 192.0.2.2')),
    [429, 429],
    'what a caller put there itself is not',
  );
  t.strictSame(
    await answered(url, forwarded('192.0.2.3, 10.9.1.1')),
    [200],
    'nor is a proxy before it a caller',
  );
  t.strictSame(await answered(url, forwarded('::ffff:10.9.1.1')), [200], 'IPv4 in the clothes of IPv6');
  t.ok(
    logLines().some((line) => line.includes('"remoteAddress":"192.0.2.3"')),
    'so it stands in the log',
  );
});

t.test('[E13] [R07] [F66] a port, brackets or quotes change no address', async (t) => {
  const { url, logLines } = await startApp(t, {
    callers,
    rateLimitPerMinute: 1,
    trustedProxies: parseNetworks('127.0.0.0/8,10.9.0.0/16,fd00::/8'),
  });
  const spellings = [
    [
      '203.0.113.7:41001',
      '203.0.113.7:41002',
      '203.0.113.7',
      '"203.0.113.7:1"',
      '203.0.113.7:5, 10.9.0.4:1234',
    ],
    [
      '[2001:db8::1]:40001',
      '[2001:db8::1]',
      '2001:db8::1',
      '"[2001:db8::1]:9"',
      '[2001:db8::1]:4, [fd00::4]:1234',
    ],
    ['2001:db8:1:2::a', '2001:DB8:1:2::b', '[2001:db8:0001:2:ffff::]:77'],
    ['198.51.100.3', '::ffff:198.51.100.3'],
  ];
  for (const [first = '', ...others] of spellings) {
    t.strictSame(await answered(url, forwarded(first)), [200], first);
    for (const other of others) t.strictSame(await answered(url, forwarded(other)), [429], other);
  }
  const addresses = logLines().flatMap((line) => /"remoteAddress":"([^"]*)"/.exec(line)?.[1] ?? []);
  t.strictSame(
    [...new Set(addresses)].sort(),
    [
      '198.51.100.3',
      '2001:DB8:1:2::b',
      '2001:db8:0001:2:ffff::',
      '2001:db8:1:2::a',
      '2001:db8::1',
      '203.0.113.7',
      '::ffff:198.51.100.3',
    ],
    'so they stand in the log',
  );
});

t.test('nobody else is, even on this machine', async (t) => {
  const { url } = await startApp(t, {
    callers,
    rateLimitPerMinute: 1,
    trustedProxies: parseNetworks('10.9.0.0/16'),
  });
  t.strictSame(await answered(url, forwarded('192.0.2.1'), forwarded('192.0.2.2')), [200, 429]);
});

t.test('with none listed, nobody is', async (t) => {
  const { url } = await startApp(t, { callers, rateLimitPerMinute: 1 });
  t.strictSame(await answered(url, forwarded('10.9.0.1'), forwarded('192.0.2.2')), [200, 429]);
});

t.test('nor is anybody believed about how the gateway is reached', async (t) => {
  const said = { 'x-forwarded-host': 'avatars.test', 'x-forwarded-proto': 'https' };
  const placeOf = async (url: string, headers: Record<string, string> = said) => {
    const response = await fetch(`${url}/api/v1/kling/kling-avatar/async`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(URLS),
    });
    const { data } = (await response.json()) as { data: { get_result: { url: string } } };
    return new URL(data.get_result.url).origin;
  };
  const alone = await startApp(t, { callers });
  t.equal(await placeOf(alone.url), alone.url);
  const behind = await startApp(t, { callers, trustedProxies: parseNetworks('127.0.0.1/32') });
  t.equal(await placeOf(behind.url), 'https://avatars.test', 'but a listed proxy');
  t.equal(await placeOf(behind.url, { ...said, 'x-forwarded-proto': 'ftp' }), 'http://avatars.test');
});
