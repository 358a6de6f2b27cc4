/** Connections and requests that come all at once: who goes first. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';

const CROWD = 200;
const GET = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const REFUSED =
  'POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 25000000\r\n\r\n';

async function open(t: Test, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function statusOf(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString('latin1', 9, 12);
}

/** Sends what is refused over many new connections, and returns how many of them were answered so far. */
async function sendCrowd(t: Test, url: string) {
  const crowd = await Promise.all(Array.from({ length: CROWD }, () => open(t, url)));
  await until('the gateway has taken all of them', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^avatar_gateway_connections (\d+)$/m.exec(text)?.[1]) >= CROWD ? true : null;
  });
  let count = 0;
  const answers = crowd.map(async (socket) => {
    const status = await statusOf(socket);
    count += 1;
    return status;
  });
  for (const socket of crowd) socket.write(REFUSED);
  return { answers: Promise.all(answers), answered: () => count };
}

t.test('many connections at once, some of which are gone at once', async (t) => {
  const { url } = await startApp(t);
  const { port, hostname } = new URL(url);
  const answers = Array.from({ length: 300 }, async (_, n) => {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    if (n % 3 === 0) return void socket.once('connect', () => socket.resetAndDestroy());
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  });
  const texts = (await Promise.all(answers)).filter((text) => text !== undefined);
  t.equal(texts.filter((text) => text.startsWith('HTTP/1.1 200 ')).length, 200);
});

t.test('who was served before does not wait for a crowd', async (t) => {
  const { url } = await startApp(t);
  const known = await open(t, url);
  known.write(GET);
  t.equal(await statusOf(known), '200');
  const crowd = await sendCrowd(t, url);
  known.write(GET);
  t.equal(await statusOf(known), '200');
  t.ok(crowd.answered() < CROWD / 2, `${crowd.answered()} of ${CROWD} went first`);
  t.strictSame(new Set(await crowd.answers), new Set(['413']), 'the crowd is answered, too');
});

t.test('nor does who comes behind it', async (t) => {
  const { url } = await startApp(t);
  const crowd = await sendCrowd(t, url);
  const late = await open(t, url);
  late.write(GET);
  t.equal(await statusOf(late), '200');
  t.ok(crowd.answered() < CROWD / 2, `${crowd.answered()} of ${CROWD} went first`);
  t.strictSame(new Set(await crowd.answers), new Set(['413']));
});

t.test('bodies that nobody reads are waited for, but not for long where they are many', async (t) => {
  const { url } = await startApp(t);
  const sockets: Socket[] = [];
  for (let n = 0; n < 102; n++) {
    const socket = await open(t, url);
    socket.write(REFUSED);
    t.equal(await statusOf(socket), '413');
    sockets.push(socket);
  }
  await Promise.all(
    sockets.slice(100).map((socket) =>
      once(
        socket.on('error', () => undefined),
        'close',
      ),
    ),
  );
  t.ok(sockets.slice(0, 100).every((socket) => !socket.closed));
});
