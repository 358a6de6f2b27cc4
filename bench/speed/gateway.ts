/** The gateway as `npm start` runs it, on each of its stores; known by its settings and its routes alone. */

import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { startRedis } from '../../test/support/redis.js';
import type { Teardown } from '../../test/support/redis-process.js';
import { type Message, type Running, start, startCommand } from '../process.js';
import { freePort } from '../program.js';

export const STORES = ['embedded', 'everysec', 'always'] as const;
export type StoreName = (typeof STORES)[number];

export const NAMES: Readonly<Record<StoreName, string>> = {
  embedded: 'embedded store',
  everysec: 'Redis, `appendfsync everysec`',
  always: 'Redis, `appendfsync always`',
};

const ROOT = new URL('../../', import.meta.url);
const LONGEST_START_MS = 30_000;
const BETWEEN_TRIES_MS = 5;

/** What a gateway needs around it. */
export interface Place {
  /** For data; the bench deletes it. */
  readonly dir: string;
  readonly prefix: readonly string[];
  readonly upstreamUrl: string;
}

export interface Gateway {
  readonly url: string;
  readonly process: Running<Message, Message>;
  readonly redis: { readonly url: string; readonly pid: number } | null;
  /** From the start of the process until it said that it was ready. */
  readonly readyMs: number;
}

export interface GatewayOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Builds what has changed since it was built, as `npm start` does. */
export async function build(): Promise<void> {
  await promisify(execFile)('sh', ['-c', (await startCommand()).build], { cwd: ROOT });
}

/** Nothing but the gateway itself holds a request up, and no task is looked at while it is measured. */
const SETTINGS = {
  // So many keys as have room for all the tasks of one turn.
  MODELLIX_API_KEY: Array.from({ length: 12 }, (_, n) => `key-number-${n}`).join(','),
  MODELLIX_CONCURRENCY: '10000',
  MODELLIX_CALLS_PER_MINUTE: '100000',
  POLL_MIN_SECONDS: '300',
  POLL_MAX_SECONDS: '300',
  QUEUE_MAX_AVATARS: '100000',
  RATE_LIMIT_PER_MINUTE: '1000000',
  LOG_LEVEL: 'warn',
};

export async function startGateway(
  t: Teardown,
  { dir, prefix, upstreamUrl }: Place,
  store: StoreName,
  { flags = [], env = {} }: GatewayOptions = {},
): Promise<Gateway> {
  const redis = store === 'embedded' ? null : await redisFor(t, store);
  const own = await mkdtemp(join(dir, `${store}-`));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const startedAt = performance.now();
  const running = start(fileURLToPath(new URL('dist/main.js', ROOT)), {
    prefix,
    flags: [...(await startCommand()).flags, ...flags],
    // Not the project's, where somebody's `.env` may lie.
    cwd: own,
    env: {
      ...SETTINGS,
      PORT: String(port),
      DATA_DIR: join(own, 'data'),
      MODELLIX_BASE_URL: upstreamUrl,
      ...(redis === null ? {} : { REDIS_URL: redis.url }),
      ...env,
    },
  });
  t.teardown(running.kill);
  // It sends no message: this ends only when the process does, and then says what that one wrote.
  const ended = running.hear('nothing');
  ended.catch(() => {});
  await Promise.race([untilReady(url), ended]);
  return { url, process: running, redis, readyMs: performance.now() - startedAt };
}

async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + LONGEST_START_MS;
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (performance.now() > deadline) throw new Error(`the gateway is not ready: ${answer?.status}`);
    await sleep(BETWEEN_TRIES_MS);
  }
}

async function redisFor(t: Teardown, appendfsync: 'everysec' | 'always') {
  const { url } = await startRedis(t, { appendonly: true, args: ['--appendfsync', appendfsync] });
  const client = new Redis(url);
  const pid = Number(/^process_id:(\d+)/m.exec(await client.info('server'))?.[1]);
  client.disconnect();
  return { url, pid };
}

/** What is posted: media at URLs, which Modellix fetches. */
export const BODY = JSON.stringify({
  image: 'https://cdn.example.com/assets/portrait-000123.png',
  sound_file: 'https://cdn.example.com/assets/speech-000123.mp3',
  prompt: 'Speak calmly, looking into the camera, small hand gestures.',
  mode: 'std',
});

export const JSON_HEADERS = { 'content-type': 'application/json' };

/** @returns the path of the avatar. @throws unless it was sent to Modellix at once */
export async function makeAvatar(
  { url }: Pick<Gateway, 'url'>,
  authorization: Readonly<Record<string, string>> = {},
): Promise<string> {
  const headers = { ...JSON_HEADERS, ...authorization };
  const answer = await fetch(`${url}/avatars`, { method: 'POST', headers, body: BODY });
  const text = await answer.text();
  const { id, status } = JSON.parse(text) as { readonly id?: string; readonly status?: string };
  if (answer.status !== 202 || id === undefined || status !== 'pending')
    throw new Error(`POST /avatars was answered ${answer.status}: ${text}`);
  return `/avatars/${id}`;
}
