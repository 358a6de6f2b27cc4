/** Memory for bodies is shared: one caller's uploads leave room for everybody else's. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { MAX_BODY_BYTES } from '../../src/http/connection-limits.js';
import { startApp } from '../support/app.js';
import { callersFile } from '../support/callers.js';
import { portrait, postJson, speech, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

async function startShared(t: Test, maxBytes: number, uploadStallMs = 60_000) {
  const { file, as } = await callersFile(t, { greedy: {}, other: {} });
  const media = { maxBytes, uploadStallMs };
  const { url } = await startApp(t, { callers: { kind: 'file', file }, media });
  return { url, as };
}

interface Upload {
  readonly socket: Socket;
  /** What came until the connection was closed. */
  readonly answer: Promise<string>;
}

/** Claims a body of so many bytes, and sends a part of it. */
async function upload(t: Test, url: string, key: string, claims: number, sentBytes: number): Promise<Upload> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  const head = [
    'POST /avatars HTTP/1.1',
    'Host: localhost',
    `Authorization: ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${claims}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n{"image":"`);
  socket.write(Buffer.alloc(sentBytes, 'A'));
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  return { socket, answer: once(socket, 'close').then(() => text) };
}

async function heldBytes(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^avatar_gateway_media_bytes (\d+)$/m.exec(metrics)?.[1]);
}

/** A small body, a form with a portrait and speech, and a large body. */
async function served(t: Test, url: string, headers: Record<string, string>) {
  const small = await postJson(url, { ...URLS, prompt: 'a'.repeat(2_500) }, headers);
  t.equal(small.status, 202, 'a body of 3 kB');
  const form = new FormData();
  form.append('image', new Blob([portrait]), 'a.jpg');
  form.append('sound_file', new Blob([speech]), 'b.mp3');
  const sent = await fetch(`${url}/avatars`, { method: 'POST', body: form, headers });
  t.equal(sent.status, 202, 'a form');
  const large = await postJson(url, { image: 'AAAA'.repeat(2_000_000), audio_id: 'a' }, headers);
  t.equal(large.status, 422, 'a body of 8 MB was read');
}

t.test('[F62] 12 slow uploads that claim all the memory there is', async (t) => {
  const maxBytes = 256_000_000;
  const { url, as } = await startShared(t, maxBytes, 1_000);
  const key = as('greedy').authorization;
  const claims = Array.from({ length: 11 }, () => MAX_BODY_BYTES);
  const all = [...claims, maxBytes - 11 * MAX_BODY_BYTES];
  const uploads = await Promise.all(all.map((each) => upload(t, url, key, each, 72_000)));
  await until('their bytes', async () => ((await heldBytes(url)) > 12 * 72_000 ? true : null));
  t.ok((await heldBytes(url)) < 12 * 256_000, 'what they claim takes nothing');
  await served(t, url, as('other'));
  for (const { answer } of uploads) t.match(await answer, /^HTTP\/1\.1 408 /, 'and they are given up');
  await until('their memory', async () => ((await heldBytes(url)) === 0 ? true : null));
});

t.test('[F62] uploads that take all their caller may have', async (t) => {
  const { url, as } = await startShared(t, 64_000_000);
  const key = as('greedy').authorization;
  const uploads = await Promise.all(
    Array.from({ length: 12 }, () => upload(t, url, key, 20_000_000, 4_000_000)),
  );
  const answers: string[] = [];
  for (const { socket } of uploads) socket.once('data', (chunk) => answers.push(String(chunk)));
  await until('one to be refused', async () => (answers.length > 0 ? true : null));
  for (const answer of answers) t.match(answer, /^HTTP\/1\.1 503 .*retry-after: [1-9].*problem:overloaded/is);
  await served(t, url, as('other'));
  t.ok(answers.length < uploads.length, 'not all of them');
  const { status } = await postJson(url, { image: 'AAAA'.repeat(3_500_000), audio_id: 'a' }, as('greedy'));
  t.equal(status, 503, 'its caller alone is refused');
});

t.test('[F62] where no callers are known, an address is one', async (t) => {
  const { url } = await startApp(t, { media: { maxBytes: 64_000_000 }, callers: { kind: 'anyone' } });
  const { hostname, port } = new URL(url);
  const sockets = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const socket = connect({ port: Number(port), host: hostname, localAddress: '127.0.0.7' });
      t.teardown(() => void socket.destroy());
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(
        'POST /avatars HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{"image":"',
      );
      socket.write(Buffer.alloc(4_000_000, 'A'));
      return socket;
    }),
  );
  await Promise.race(sockets.map((socket) => once(socket, 'data')));
  await served(t, url, {});
});
