/** What becomes of a connection: the order of answers, large bodies, callers who are slow or go away, the end. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { createAvatar, GOOD, sendRaw, URLS } from '../support/requests.js';

const text = JSON.stringify(URLS);
const head = (length: number, ...headers: string[]) =>
  [
    'POST /avatars HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${length}`,
    ...headers,
    '',
    '',
  ].join('\r\n');
const count = (text: string, what: RegExp) => [...text.matchAll(what)].length;

async function open(t: Test, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** What comes until it ends with the given text, or the connection does. */
async function read(socket: Socket, until = ''): Promise<string> {
  let received = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received += String(chunk);
    if (until !== '' && received.endsWith(until)) break;
  }
  return received;
}

t.test('what is behind a good request does not spoil its answer', async (t) => {
  const { url, simulator } = await startApp(t);
  const received = await sendRaw(url, `${head(text.length)}${text}nonsense\r\n\r\n`);
  t.match(received, /^HTTP\/1\.1 202 /, 'a caller who was told 400 would send it again');
  t.match(received, /\r\nConnection: close\r\n/i);
  t.equal(count(received, /HTTP\/1\.1 /g), 1);
  t.equal(simulator.ledger().length, 1);
});

t.test('requests one behind the other are answered in order, and the bad one last', async (t) => {
  const { url } = await startApp(t);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const received = await sendRaw(url, `${get('/livez')}${get('/nowhere')}${get('/readyz')}nonsense\r\n\r\n`);
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  t.strictSame(statuses.slice(0, 3), ['200', '404', '200']);
});

t.test('what is wrong with a request does not go before the answer to another', async (t) => {
  const { url, simulator } = await startApp(t);
  const held = simulator.inject({ on: 'submit', do: { hold: true } });
  const socket = await open(t, url);
  socket.write(head(text.length) + text);
  await held.met;
  socket.write('POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n');
  socket.write('Transfer-Encoding: chunked\r\n\r\nno length\r\n');
  await fetch(`${url}/livez`); // by then the gateway has read it
  held.release();
  const statuses = [...(await read(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  t.strictSame(statuses, ['202', '400']);
  t.equal(simulator.ledger().length, 1);
});

t.test('Expect: 100-continue', async (t) => {
  const { url } = await startApp(t);
  const body = JSON.stringify(GOOD);

  const refused = await open(t, url);
  refused.write(
    `POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
  );
  const answer = await read(refused);
  t.match(answer, /^HTTP\/1\.1 415 /, 'who is refused by the headers need not send the body');
  t.match(answer, /\r\nConnection: close\r\n/i);

  const accepted = await open(t, url);
  accepted.write(head(body.length, 'Expect: 100-continue', 'Connection: close'));
  t.equal(await read(accepted, '\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
  accepted.write(body);
  t.match(await read(accepted), /^HTTP\/1\.1 202 /);
});

t.test('a body that is too large is answered, and the connection lives on', async (t) => {
  const { url } = await startApp(t);
  const socket = await open(t, url);
  const size = 25_000_000;
  socket.write(head(size));
  const answer = await read(socket, '}');
  t.match(answer, /^HTTP\/1\.1 413 /, 'before the body is there');
  socket.write(Buffer.alloc(size, 'A'));
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.match(await read(socket, '}'), /^HTTP\/1\.1 200 /);

  const chunked = await open(t, url);
  chunked.write(
    'POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const start = '{"image":"';
  chunked.write(`${(start.length + size).toString(16)}\r\n${start}`);
  chunked.write(Buffer.alloc(size, 'A'));
  t.match(await read(chunked, '}'), /^HTTP\/1\.1 413 /);
  chunked.write('\r\n0\r\n\r\n');
  chunked.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.match(await read(chunked, '}'), /^HTTP\/1\.1 200 /);
});

t.test('a form is answered at its first fault, and the connection lives on', async (t) => {
  const { url } = await startApp(t);
  const socket = await open(t, url);
  const size = 10_000_000;
  const begun = '--x\r\nContent-Disposition: form-data; name="colour"\r\n\r\nred\r\n--x\r\n';
  socket.write(head(size).replace('application/json', 'multipart/form-data; boundary=x') + begun);
  t.match(await read(socket, '}'), /^HTTP\/1\.1 400 /, 'before the rest is there');
  socket.write(Buffer.alloc(size - begun.length, 'A'));
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.match(await read(socket, '}'), /^HTTP\/1\.1 200 /);
});

t.test('bodies nobody reads are read on for many at once', async (t) => {
  const { url } = await startApp(t);
  const size = 25_000_000;
  const statuses = Array.from({ length: 20 }, async () => {
    const socket = await open(t, url);
    socket.write(head(size));
    socket.write(Buffer.alloc(size, 'A'));
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    return [...(await read(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  });
  for (const each of await Promise.all(statuses)) t.strictSame(each, ['413', '200']);
});

t.test('callers who go away do no harm', async (t) => {
  const { url, logLines, simulator } = await startApp(t);
  const parts = ['GET /liv', 'GET /livez HTTP/1.1\r\nHost: localhost\r\n', head(100), `${head(100)}{"image`];
  for (const part of parts) {
    const socket = await open(t, url);
    await new Promise((resolve) => socket.write(part, resolve));
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  await createAvatar(url);
  const loud = logLines().filter((line) => (JSON.parse(line) as { level: number }).level >= 40);
  t.strictSame(loud, [], 'nobody is alarmed');
  t.equal(simulator.ledger().length, 1);
});

t.test('slow callers are closed in time, and others are served meanwhile', async (t) => {
  const { url } = await startApp(t, { arrivalMs: 300 });
  const parts = ['GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Y: ', head(1_000), `${head(1_000)}{"image":"`];
  const slow = parts.map(async (part) => {
    const socket = await open(t, url);
    socket.write(part);
    // To send a byte at a time does not help: it is the whole that has to be in time.
    const drip = setInterval(() => socket.write('a'), 50);
    t.teardown(() => clearInterval(drip));
    t.match(await read(socket), /^HTTP\/1\.1 408 /);
  });
  const silent = await open(t, url);
  t.equal((await fetch(`${url}/livez`)).status, 200);
  await Promise.all([...slow, read(silent)]);
});

t.test('the end', async (t) => {
  await t.test('does not wait for connections that carry nothing', async (t) => {
    const { url, close } = await startApp(t);
    const never = await open(t, url);
    const half = await open(t, url);
    half.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n');
    const idle = await open(t, url);
    idle.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await read(idle, '}');
    const started = performance.now();
    const ends = [never, half, idle].map(
      (socket) => new Promise((resolve) => socket.resume().once('close', resolve)),
    );
    await Promise.all([...ends, close()]);
    t.ok(performance.now() - started < 3_000);
  });

  await t.test('waits for the answer that is under way, and ends its connection', async (t) => {
    const { url, simulator, close } = await startApp(t);
    const held = simulator.inject({ on: 'submit', do: { hold: true } });
    const socket = await open(t, url);
    socket.write(head(text.length) + text);
    await held.met;
    const closed = close();
    held.release();
    t.match(await read(socket), /^HTTP\/1\.1 202 /);
    await closed;
  });

  await t.test('gives a body that is still arriving a while, and no more', async (t) => {
    const { url, close } = await startApp(t);
    const arriving = await open(t, url);
    arriving.write(head(text.length, 'Expect: 100-continue'));
    await read(arriving, '\r\n\r\n');
    const stuck = await open(t, url);
    stuck.write(head(text.length, 'Expect: 100-continue'));
    await read(stuck, '\r\n\r\n');
    const closed = close();
    arriving.write(text);
    t.match(await read(arriving), /^HTTP\/1\.1 (202|503) /, 'there was time for it');
    t.equal(await read(stuck).catch(() => ''), '', 'this one never came');
    await closed;
  });
});
