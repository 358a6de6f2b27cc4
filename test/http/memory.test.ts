/** What media may take of the memory: more is turned away, and what is over is free again. */

import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { GOOD, postJson, readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';

/** Room for one body of the largest size and a bit. */
const MAX_BYTES = 30_000_000;
const LARGE = 20_000_000;

const memoryOf = async (url: string) => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^avatar_gateway_media_bytes (\d+)$/m.exec(metrics)?.[1]);
};

const holds = (url: string, isRight: (bytes: number) => boolean) =>
  until('the memory that is held', async () => (isRight(await memoryOf(url)) ? true : null));

/** Lets a submit go on, once it is there. */
const letGo = (held: { release(): number }) =>
  until('a submit that is held', async () => (held.release() > 0 ? true : null));

/** Begins a body of the largest size, and leaves it at that. */
async function beginUpload(t: Test, url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${LARGE}\r\n\r\n{"image":"`,
  );
  return socket;
}

t.test('beyond it requests are turned away before they are read, others are served', async (t) => {
  const { url, simulator } = await startApp(t, { media: { maxBytes: MAX_BYTES } });
  const first = await beginUpload(t, url);
  await holds(url, (bytes) => bytes === LARGE);

  const second = await beginUpload(t, url);
  const [head] = (await once(second, 'data')) as [Buffer];
  t.match(String(head), /^HTTP\/1\.1 503 .*\r\nretry-after: [1-9]/is);
  t.match(String(head), /problem:overloaded/);

  t.equal((await postJson(url, GOOD)).status, 202, 'a small one has room');
  t.equal(simulator.ledger().length, 1);

  first.destroy();
  await holds(url, (bytes) => bytes === 0);
  const third = await beginUpload(t, url);
  await holds(url, (bytes) => bytes === LARGE);
  third.destroy();
});

t.test(
  'a request that waits for the answer to another gives its memory back with the connection',
  async (t) => {
    const { url, simulator } = await startApp(t, { modellix: { submitTimeoutMs: 60_000 } });
    const held = simulator.inject({ on: 'submit', do: { hold: true } });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    const head = (length: number) =>
      `POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    const body = JSON.stringify(GOOD);
    socket.write(`${head(body.length)}${body}${head(LARGE)}{"image":"`);
    await holds(url, (bytes) => bytes === LARGE + body.length);
    socket.destroy();
    await holds(url, (bytes) => bytes === body.length);
    await letGo(held);
    await holds(url, (bytes) => bytes === 0);
  },
);

t.test('a body of unknown length counts as the largest', async (t) => {
  const { url } = await startApp(t, { media: { maxBytes: MAX_BYTES } });
  const first = await beginUpload(t, url);
  await holds(url, (bytes) => bytes === LARGE);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(JSON.stringify(GOOD)));
      controller.close();
    },
  });
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: stream,
    duplex: 'half',
  };
  const answer = await fetch(`${url}/avatars`, init as RequestInit);
  t.equal(answer.status, 503);
  first.destroy();
});

t.test('memory is kept until the submit is over, whatever becomes of the caller', async (t) => {
  const { url, simulator } = await startApp(t, {
    gateway: { submitGraceMs: 1 },
    modellix: { submitTimeoutMs: 60_000 },
  });
  const held = simulator.inject({ on: 'submit', do: { hold: true } });
  const answer = await postJson(url, GOOD);
  t.equal(answer.status, 202);
  const { id } = (await answer.json()) as { id: string };
  t.equal(await memoryOf(url), JSON.stringify(GOOD).length);
  await letGo(held);
  await holds(url, (bytes) => bytes === 0);
  t.equal((await readAvatar(url, id)).status, 'pending');
});

t.test('what waited in the store is submitted however little memory there is', async (t) => {
  const { url, simulator } = await startApp(t, {
    media: { maxBytes: MAX_BYTES },
    gateway: { submitGraceMs: 1 },
    limits: { tasks: 1 },
  });
  await postJson(url, GOOD);
  const waiting = (await (await postJson(url, GOOD)).json()) as { id: string; status: string };
  t.equal(waiting.status, 'queued');
  const upload = await beginUpload(t, url);
  await holds(url, (bytes) => bytes >= LARGE);
  for (const { taskId } of simulator.ledger()) simulator.settle(taskId, { end: 'success' });
  await until('its submit', async () =>
    (await readAvatar(url, waiting.id)).status === 'pending' ? true : null,
  );
  t.equal(simulator.ledger().length, 2);
  upload.destroy();
});
