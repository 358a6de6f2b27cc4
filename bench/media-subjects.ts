/** What is measured: two forwarders, a proxy, and the gateway in its variants. */

import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startRedis } from '../test/support/redis.js';
import type { Teardown } from '../test/support/redis-process.js';
import { type Body, bodiesOf } from './media-files.js';
import type { BodyKind, Said, Told } from './media-messages.js';
import { type Running, type Scripts, start } from './process.js';

/** What a subject finds around it. */
export interface World {
  readonly scripts: Scripts;
  readonly upstreamUrl: string;
  /** For data; the bench deletes it. */
  readonly dir: string;
}

export interface Started {
  readonly process: Running<Told, Said>;
  readonly postUrl: string;
  readonly getUrl: string;
}

export interface Subject {
  readonly id: string;
  readonly name: string;
  readonly body: BodyKind;
  /** Starts it and sends one small request through; `null` where it does not take this kind of body. */
  start(world: World, t: Teardown): Promise<Started | null>;
}

const demo = (name: string) => readFile(new URL(`../test/demo/${name}`, import.meta.url));
const small = bodiesOf({ image: await demo('portrait.jpg'), sound: await demo('speech.mp3') });

function forwarder(id: string, name: string): Subject {
  return {
    id,
    name,
    body: 'json',
    async start({ scripts, upstreamUrl }, t) {
      const process = start<Told, Said>(scripts.bench('forwarder'), {
        args: [id, upstreamUrl],
        preload: scripts.bench('probe'),
      });
      t.teardown(process.kill);
      const { url } = await process.hear('listening');
      const postUrl = `${url}/api/v1/image-to-video/kling/kling-avatar/async`;
      await post(postUrl, small.json);
      return { process, postUrl, getUrl: `${url}/api/v1/tasks/task-1` };
    },
  };
}

function gateway(id: string, name: string, body: BodyKind, onRedis: boolean): Subject {
  return {
    id,
    name,
    body,
    async start({ scripts, upstreamUrl, dir }, t) {
      const data = await mkdtemp(join(dir, `${id}-`));
      const process = start<Told, Said>(scripts.gateway, {
        preload: scripts.bench('probe'),
        env: { ...settings(upstreamUrl), DATA_DIR: data, ...(onRedis ? await redis(data, t) : {}) },
      });
      t.teardown(process.kill);
      const { url } = await process.hear('listening');
      await untilReady(url);
      const postUrl = `${url}/avatars`;
      const made = await post(postUrl, small.json);
      const { id: avatarId } = JSON.parse(made.text) as { readonly id: string };
      if (body === 'multipart' && (await post(postUrl, small.multipart, [415])).status === 415) return null;
      return { process, postUrl, getUrl: `${postUrl}/${avatarId}` };
    },
  };
}

/** Nothing but the gateway itself holds a body up. Tasks are not looked at while it is measured. */
function settings(upstreamUrl: string): Record<string, string> {
  return {
    PORT: '0',
    MODELLIX_API_KEY: 'bench',
    MODELLIX_BASE_URL: upstreamUrl,
    MODELLIX_CONCURRENCY: '10000',
    MODELLIX_CALLS_PER_MINUTE: '100000',
    POLL_MIN_SECONDS: '300',
    POLL_MAX_SECONDS: '300',
    RATE_LIMIT_PER_MINUTE: '1000000',
    LOG_LEVEL: 'error',
  };
}

async function redis(dir: string, t: Teardown): Promise<Record<string, string>> {
  const { url } = await startRedis(t, { dir, appendonly: true, args: ['--appendfsync', 'everysec'] });
  return { REDIS_URL: url };
}

/** A gateway listens before it is connected to Redis. */
async function untilReady(url: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { status } = await fetch(`${url}/readyz`);
    if (status === 200) return;
    if (tries === 1_000) throw new Error(`the gateway is not ready: ${status}`);
  }
}

async function post(url: string, { contentType, bytes }: Body, alsoOk: readonly number[] = []) {
  const headers = { 'content-type': contentType };
  const answer = await fetch(url, { method: 'POST', headers, body: bytes });
  const { status } = answer;
  const text = await answer.text();
  if (![200, 202, ...alsoOk].includes(status))
    throw new Error(`a small body was answered ${status}: ${text}`);
  return { status, text };
}

export const SUBJECTS: readonly Subject[] = [
  forwarder('bare', 'bare forwarder'),
  forwarder('streamed', 'bare forwarder, streamed'),
  forwarder('http-proxy', '`@fastify/http-proxy`'),
  gateway('json', 'gateway, JSON, embedded store', 'json', false),
  gateway('multipart', 'gateway, multipart, embedded store', 'multipart', false),
  gateway('redis', 'gateway, JSON, Redis', 'json', true),
];
