/** What one connection, and all of them together, may take. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { sendRaw } from '../support/requests.js';
import { serverFor } from '../support/server.js';
import { until } from '../support/until.js';

const GET = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

async function open(t: Test, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

t.test('one connection too many is closed, counted and told of; the others are served', async (t) => {
  const { url, managementUrl, logLines } = await startApp(t, {
    maxConnections: 3,
    management: { host: '127.0.0.1', port: 0 },
  });
  const metric = async (name: string) => {
    const text = await (await fetch(`${managementUrl}/metrics`)).text();
    return Number(new RegExp(`^avatar_gateway_${name} (.*)$`, 'm').exec(text)?.[1]);
  };
  const held = [await open(t, url), await open(t, url), await open(t, url)];
  await until('all are counted', async () => ((await metric('connections')) === 3 ? true : null));

  for (let n = 0; n < 2; n++) {
    const more = await open(t, url);
    more.write(GET);
    const chunks: Buffer[] = [];
    more.on('data', (chunk: Buffer) => chunks.push(chunk));
    if (!more.closed) await once(more, 'close');
    t.strictSame(chunks, [], 'nothing of it is read');
  }
  t.equal(await metric('connections_dropped_total'), 2);
  const told = logLines().filter((line) => line.includes('"maxConnections":3'));
  t.equal(told.length, 1, 'not a line for each');

  const [first] = held;
  first?.write(GET);
  t.match(String(await new Promise((resolve) => first?.once('data', resolve))), /^HTTP\/1\.1 404 /);
  first?.destroy();
  await until('its place is free', async () => ((await metric('connections')) === 2 ? true : null));
  t.match(await sendRaw(url, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')), /^HTTP\/1\.1 404 /);
});

t.test('a hundred headers, and no more', async (t) => {
  const { url } = await startApp(t);
  const withHeaders = (count: number) =>
    sendRaw(url, `GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${'a:\r\n'.repeat(count - 2)}\r\n`);
  t.match(await withHeaders(100), /^HTTP\/1\.1 200 /);
  t.match(await withHeaders(101), /^HTTP\/1\.1 431 /);
  t.match(await withHeaders(2_500), /^HTTP\/1\.1 431 /, 'more than Node keeps');
});

t.test('the times of a connection are those that are written down', async (t) => {
  const { server } = await serverFor(t, {});
  t.match(server, {
    headersTimeout: 10_000,
    requestTimeout: 300_000,
    keepAliveTimeout: 72_000,
    timeout: 900_000,
    maxRequestsPerSocket: 0,
  });
});
