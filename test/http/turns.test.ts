/** Connections and requests that come all at once: who goes first. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';

const CROWD = 200;
const GET = 'GET /avatars HTTP/1.1\r\nHost: localhost\r\n\r\n';
const OPEN = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Another address of this machine than those who call from 127.0.0.1 have. */
const ELSEWHERE = '127.0.0.2';
const REFUSED =
  'POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 25000000\r\n\r\n';

async function open(t: Test, url: string, localAddress?: string): Promise<Socket> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), ...(localAddress !== undefined && { localAddress }) });
  t.teardown(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function statusOf(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString('latin1', 9, 12);
}

/** New connections, which the gateway has taken. */
async function openCrowd(t: Test, url: string, count = CROWD): Promise<Socket[]> {
  const before = await connections(url);
  const crowd = await Promise.all(Array.from({ length: count }, () => open(t, url)));
  await until('the gateway has taken all of them', async () =>
    (await connections(url)) >= before + count ? true : null,
  );
  return crowd;
}

async function connections(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^avatar_gateway_connections (\d+)$/m.exec(text)?.[1]);
}

/** Sends what is refused over all of them, and returns how many were answered so far. */
function send(crowd: readonly Socket[]) {
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

t.test('who was served before does not wait for a crowd, one from the same address neither', async (t) => {
  const { url } = await startApp(t);
  const known = await open(t, url);
  known.write(GET);
  t.equal(await statusOf(known), '200');
  const crowd = send(await openCrowd(t, url));
  known.write(GET);
  t.equal(await statusOf(known), '200');
  t.ok(crowd.answered() < CROWD / 2, `${crowd.answered()} of ${CROWD} went first`);
  t.strictSame(new Set(await crowd.answers), new Set(['413']), 'the crowd is answered, too');
});

t.test('nor does who comes behind it', async (t) => {
  const { url } = await startApp(t);
  const crowd = send(await openCrowd(t, url));
  const late = await open(t, url);
  late.write(GET);
  t.equal(await statusOf(late), '200');
  t.ok(crowd.answered() < CROWD / 2, `${crowd.answered()} of ${CROWD} went first`);
  t.strictSame(new Set(await crowd.answers), new Set(['413']));
});

t.test('who comes amid a crowd', async (t) => {
  /** How many of the crowd go before a call from `ELSEWHERE`, where this was answered before. */
  const wentFirst = async (t: Test, asked: string): Promise<number> => {
    const { url } = await startApp(t);
    const before = await open(t, url, ELSEWHERE);
    before.write(asked);
    t.equal(await statusOf(before), '200');
    const some = await openCrowd(t, url, CROWD / 2);
    const amid = await open(t, url, ELSEWHERE);
    const crowd = send([...some, ...(await openCrowd(t, url, CROWD / 2))]);
    amid.write(GET);
    t.equal(await statusOf(amid), '200');
    const count = crowd.answered();
    await crowd.answers;
    return count;
  };

  t.test('does not wait for it, where a caller was served from the same address', async (t) => {
    const count = await wentFirst(t, GET);
    t.ok(count < CROWD / 4, `${count} of ${CROWD} went first`);
  });

  t.test('does not wait for it, where it comes from where callers are served, too', async (t) => {
    const { url } = await startApp(t);
    for (const address of [undefined, ELSEWHERE]) {
      const caller = await open(t, url, address);
      for (let n = 0; n < 20; n++) {
        caller.write(GET);
        t.equal(await statusOf(caller), '200');
      }
    }
    const crowd = send(await openCrowd(t, url));
    const amid = await open(t, url, ELSEWHERE);
    amid.write(GET);
    t.equal(await statusOf(amid), '200');
    t.ok(crowd.answered() < CROWD / 4, `${crowd.answered()} of ${CROWD} went first`);
    await crowd.answers;
  });

  t.test('stands in it, where all that was served is open to everybody', async (t) => {
    const count = await wentFirst(t, OPEN);
    t.ok(count > CROWD / 4, `${count} of ${CROWD} went first`);
  });
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
