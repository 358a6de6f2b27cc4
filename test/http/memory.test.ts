/** What media may take of the memory: more is turned away, and what is over is free again. */

import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { GOOD, postJson, readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';

/** Room for one body of the largest size and a bit, for one caller. */
const MAX_BYTES = 30_000_000;
const LARGE = 20_000_000;
/** What is held of a body of which so much has arrived. */
const withStep = (bytes: number) => bytes + 64 * 1024;
/** What {@link beginUpload} sends first, if anything. */
const BEGINNING = '{"image":"';

const memoryOf = async (url: string) => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^avatar_gateway_media_bytes (\d+)$/m.exec(metrics)?.[1]);
};

const holds = (url: string, isRight: (bytes: number) => boolean) =>
  until('the memory that is held', async () => (isRight(await memoryOf(url)) ? true : null));

/** Lets a submit go on, once it is there. */
const letGo = (held: { release(): number }) =>
  until('a submit that is held', async () => (held.release() > 0 ? true : null));

/** Begins a body of the largest size, and leaves it at so many bytes. */
async function beginUpload(t: Test, url: string, sentBytes = BEGINNING.length) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  const beginning = sentBytes === 0 ? '' : BEGINNING;
  socket.write(
    `POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${LARGE}\r\n\r\n${beginning}`,
  );
  socket.write(Buffer.alloc(sentBytes - beginning.length, 'A'));
  return socket;
}

t.test('[E3] what is merely claimed takes nothing, what has arrived does', async (t) => {
  const { url, simulator } = await startApp(t, { media: { maxBytes: MAX_BYTES } });
  const headAlone = await beginUpload(t, url, 0);
  await holds(url, (bytes) => bytes === withStep(0));
  headAlone.destroy();
  await holds(url, (bytes) => bytes === 0);
  const first = await beginUpload(t, url);
  await holds(url, (bytes) => bytes === withStep(BEGINNING.length));
  const idle = await Promise.all(Array.from({ length: 11 }, () => beginUpload(t, url)));
  await holds(url, (bytes) => bytes === 12 * withStep(BEGINNING.length));
  for (const socket of idle) socket.destroy();
  first.write(Buffer.alloc(15_000_000 - BEGINNING.length, 'A'));
  await holds(url, (bytes) => bytes === withStep(15_000_000));

  const second = await beginUpload(t, url);
  const [head] = (await once(second, 'data')) as [Buffer];
  t.match(String(head), /^HTTP\/1\.1 503 .*\r\nretry-after: [1-9]/is, 'before it is read');
  t.match(String(head), /problem:overloaded/);

  t.equal((await postJson(url, GOOD)).status, 202, 'a small one has room');
  t.equal(simulator.ledger().length, 1);

  first.destroy();
  await holds(url, (bytes) => bytes === 0);
  const third = await beginUpload(t, url, 1_000_000);
  await holds(url, (bytes) => bytes === withStep(1_000_000));
  third.destroy();
});

t.test('a body that outgrows what there is is refused on the way, and what it held is free', async (t) => {
  const { url } = await startApp(t, { media: { maxBytes: MAX_BYTES } });
  const [first, second] = [await beginUpload(t, url), await beginUpload(t, url)];
  // Once one has more, another that claims as much is not begun.
  await holds(url, (bytes) => bytes === 2 * withStep(BEGINNING.length));
  for (const socket of [first, second]) socket.write(Buffer.alloc(5_000_000 - BEGINNING.length, 'A'));
  await holds(url, (bytes) => bytes === 2 * withStep(5_000_000));
  second.write(Buffer.alloc(14_000_000, 'A'));
  const [head] = (await once(second, 'data')) as [Buffer];
  t.match(String(head), /^HTTP\/1\.1 503 .*problem:overloaded/s);
  await holds(url, (bytes) => bytes === withStep(5_000_000));
  first.write(Buffer.alloc(14_000_000, 'A'));
  await holds(url, (bytes) => bytes === withStep(19_000_000));
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
    socket.write(`${head(body.length)}${body}${head(LARGE)}${BEGINNING}`);
    await holds(url, (bytes) => bytes === withStep(BEGINNING.length) + body.length);
    socket.destroy();
    await holds(url, (bytes) => bytes === body.length);
    await letGo(held);
    await holds(url, (bytes) => bytes === 0);
  },
);

t.test('a body of unknown length counts as what arrives', async (t) => {
  const { url } = await startApp(t, { media: { maxBytes: MAX_BYTES } });
  const first = await beginUpload(t, url, 15_000_000);
  await holds(url, (bytes) => bytes === withStep(15_000_000));
  const chunked = async (bytes: Buffer) => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body, duplex: 'half' };
    return (await fetch(`${url}/avatars`, init as RequestInit)).status;
  };
  t.equal(await chunked(Buffer.from(JSON.stringify(GOOD))), 202);
  t.equal(await chunked(Buffer.from(`{"image":"${'A'.repeat(10_000_000)}"}`)), 503);
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
  const upload = await beginUpload(t, url, 15_000_000);
  await holds(url, (bytes) => bytes >= 15_000_000);
  for (const { taskId } of simulator.ledger()) simulator.settle(taskId, { end: 'success' });
  await until('its submit', async () =>
    (await readAvatar(url, waiting.id)).status === 'pending' ? true : null,
  );
  t.equal(simulator.ledger().length, 2);
  upload.destroy();
});
