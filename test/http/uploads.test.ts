/** Bodies that arrive too slowly. */

import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { startApp } from '../support/app.js';
import { GOOD, postJson } from '../support/requests.js';

const STALL_MS = 200;

/** Sends the beginning of a body; gives the answer once the connection is closed. */
async function begin(t: Test, url: string, type: string, body: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST /avatars HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: 1000000\r\n\r\n${body}`,
  );
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  return { socket, answer: once(socket, 'close').then(() => text) };
}

t.test('a body that stands still or trickles is given up, and others are served', async (t) => {
  const { url, simulator } = await startApp(t, { media: { uploadStallMs: STALL_MS } });
  const form = '--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\nabc';
  const silent = await begin(t, url, 'application/json', '{"image":"AAAA');
  const silentForm = await begin(t, url, 'multipart/form-data; boundary=x', form);
  const trickling = await begin(t, url, 'application/json', '{"image":"');
  const drip = setInterval(() => trickling.socket.write('A'), 20);
  t.teardown(() => clearInterval(drip));
  t.equal((await postJson(url, GOOD)).status, 202);
  for (const { answer } of [silent, silentForm, trickling]) {
    t.match(await answer, /^HTTP\/1\.1 408 .*"instance":"\/avatars"/s);
  }
  t.equal(simulator.ledger().length, 1);
});
