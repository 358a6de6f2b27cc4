/** Requests to a gateway: good bodies, and bytes that no HTTP client would send. */

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { until } from './until.js';

export const portrait = readFileSync(new URL('../demo/portrait.jpg', import.meta.url));
export const speech = readFileSync(new URL('../demo/speech.mp3', import.meta.url));

/** A body that is accepted, with real media. */
export const GOOD = { image: portrait.toString('base64'), sound_file: speech.toString('base64') };

/** A small body that is accepted: the media are elsewhere. */
export const URLS = { image: 'https://example.com/face.jpg', audio_id: 'audio-1' };

/** PCM of so many seconds. `claims` is the size its header gives the samples, where that is a lie. */
export function wav(seconds: number, claims?: number): Buffer {
  const rate = 1_000;
  const samples = Buffer.alloc(Math.round(rate * seconds), 128);
  const size = claims ?? samples.length;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + size, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(size, 40);
  return Buffer.concat([head, samples]);
}

export function postJson(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return fetch(`${url}/avatars`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: isRaw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
  });
}

/** Makes an avatar, or throws what the gateway answered. */
export async function createAvatar(url: string, body: unknown = URLS): Promise<AvatarView> {
  const response = await postJson(url, body);
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as AvatarView;
}

/** An avatar once it has a task: it may have been queued at first. */
export function submitted(url: string, id: string): Promise<AvatarView> {
  return until(`${id} has a task`, async () => {
    const avatar = await readAvatar(url, id);
    return avatar.task_id === null ? null : avatar;
  });
}

export async function readAvatar(url: string, id: string): Promise<AvatarView> {
  const response = await fetch(`${url}/avatars/${id}`);
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as AvatarView;
}

/**
 * Writes bytes to a connection of their own, and resolves with everything that came until the other side closed it.
 * With `end`, nothing more is to come from this side.
 */
export function sendRaw(url: string, bytes: string | Buffer, { end = false } = {}): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    // A reset after the answer is not of interest: what came before it counts.
    socket.on('error', (error) => chunks.length === 0 && reject(error));
    if (end) socket.end(bytes);
    else socket.write(bytes);
  });
}
