/** Uploads that take memory and are slow, and whether others are served meanwhile. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { portrait, postJson, speech, URLS } from './requests.js';

export interface Upload {
  readonly socket: Socket;
  /** What came first. */
  readonly first: Promise<string>;
  /** What came until the connection was closed. */
  readonly answer: Promise<string>;
}

/** Claims a body of so many bytes, and sends a part of it. */
export async function upload(
  t: Test,
  url: string,
  key: string,
  claims: number,
  sentBytes: number,
): Promise<Upload> {
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
  const first = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))));
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  return { socket, first, answer: once(socket, 'close').then(() => text) };
}

export async function heldBytes(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^avatar_gateway_media_bytes (\d+)$/m.exec(metrics)?.[1]);
}

/** A small body, a form with a portrait and speech, and a large body. */
export async function served(t: Test, url: string, headers: Record<string, string>) {
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
