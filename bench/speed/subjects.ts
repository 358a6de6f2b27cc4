/** What is compared: forwarders, proxies, Fastify, and the gateway on each store. */

import { startRedis } from '../../test/support/redis.js';
import type { Teardown } from '../../test/support/redis-process.js';
import { start } from '../process.js';
import { freePort } from '../program.js';
import {
  BODY,
  type Gateway,
  JSON_HEADERS,
  makeAvatar,
  NAMES,
  STORES,
  type StoreName,
  startGateway,
} from './gateway.js';
import type { Job } from './messages.js';
import {
  type Forwarder,
  portkeyRequest,
  portkeyVersion,
  startHaproxy,
  startNginx,
  startPortkey,
  versionOf,
} from './proxies.js';
import type { World } from './rig.js';

/** Something that is started and can be asked. */
export interface Target {
  readonly request: Omit<Job, 'connections' | 'length'>;
  /** What every answer is to have. */
  readonly status: 200 | 202 | 304;
  /** `null` where there is nothing between load and upstream. */
  readonly pid: number | null;
  /** Of its Redis. */
  readonly storePid: number | null;
}

export interface Subject {
  readonly id: string;
  readonly name: string;
  /** Of a program that need not be there; `null` where it is not. */
  readonly version?: string | null;
  readonly start: (t: Teardown, world: World) => Promise<Target>;
}

/** Where programs are that need not be there. */
export interface Programs {
  readonly nginx: string;
  readonly haproxy: string;
  readonly portkey?: string;
}

const SUBMIT_PATH = '/api/v1/image-to-video/kling/kling-avatar/async';
const post = (url: string, headers: Readonly<Record<string, string>> = {}): Target['request'] => {
  return { url, method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body: BODY };
};

const forwards = (pid: number, request: Target['request']): Target => {
  return { request, status: 200, pid, storePid: null };
};

/** What load and upstream do by themselves: nothing that is measured can be faster. */
function rig(method: Job['method']): Subject {
  return {
    id: 'rig',
    name: 'the upstream itself',
    async start(_t, { upstreamUrl }) {
      const url = `${upstreamUrl}/api/v1/tasks/task-7`;
      const request = method === 'POST' ? post(upstreamUrl + SUBMIT_PATH) : { url, method, headers: {} };
      return { request, status: 200, pid: null, storePid: null };
    },
  };
}

function forwarder(id: string, name: string): Subject {
  return {
    id,
    name,
    async start(t, world) {
      const port = await freePort();
      const args = [id, world.upstreamUrl, String(port)];
      const { pid, kill } = start(world.bench('forwarder'), { args, prefix: world.prefix });
      t.teardown(kill);
      return forwards(pid, post(`http://127.0.0.1:${port}${SUBMIT_PATH}`));
    },
  };
}

function proxies({ nginx, haproxy, portkey }: Programs): Subject[] {
  const simple = async (proxy: Promise<Forwarder>) => {
    const { pid, url } = await proxy;
    return forwards(pid, post(url + SUBMIT_PATH));
  };
  return [
    {
      id: 'nginx',
      name: 'nginx',
      version: versionOf(nginx, '-v'),
      start: (t, world) => simple(startNginx(t, world, nginx)),
    },
    {
      id: 'haproxy',
      name: 'HAProxy',
      version: versionOf(haproxy, '-v'),
      start: (t, world) => simple(startHaproxy(t, world, haproxy)),
    },
    {
      id: 'portkey',
      name: 'Portkey',
      version: portkey === undefined ? null : portkeyVersion(portkey),
      async start(t, world) {
        const { pid, url } = await startPortkey(t, world, portkey ?? '');
        return forwards(pid, portkeyRequest(url, world.upstreamUrl));
      },
    },
  ];
}

/** @param onRedis whether a task is got from Redis first */
function fastify(id: string, name: string, onRedis: boolean): Subject {
  return {
    id,
    name,
    async start(t, { bench, prefix }) {
      const port = await freePort();
      const redis = onRedis ? [(await startRedis(t)).url] : [];
      const { pid, kill } = start(bench('speed/fastify-reads'), { args: [String(port), ...redis], prefix });
      t.teardown(kill);
      const url = `http://127.0.0.1:${port}/avatars/task-7`;
      return { request: { url, method: 'GET', headers: {} }, status: 200, pid, storePid: null };
    },
  };
}

function gateway(store: StoreName, kind: Case['id']): Subject {
  return {
    id: store,
    name: `gateway, ${NAMES[store]}`,
    start: async (t, world) => gatewayTarget(await startGateway(t, world, store), kind),
  };
}

export async function gatewayTarget(gateway: Gateway, kind: Case['id']): Promise<Target> {
  const pids = { pid: gateway.process.pid, storePid: gateway.redis?.pid ?? null };
  if (kind === 'submit') return { request: post(`${gateway.url}/avatars`), status: 202, ...pids };
  const url = gateway.url + (await makeAvatar(gateway));
  const request = { url, method: 'GET' as const, headers: {} };
  if (kind === 'read') return { request, status: 200, ...pids };
  const answer = await fetch(url);
  await answer.arrayBuffer();
  const headers = { 'if-none-match': answer.headers.get('etag') ?? '' };
  return { request: { ...request, headers }, status: 304, ...pids };
}

/** What is asked of the subjects. */
export interface Case {
  readonly id: 'submit' | 'read' | 'unchanged';
  readonly name: string;
  /** Ids of those that the others are compared with; the first one is what the goals speak of. */
  readonly beside: readonly string[];
  /** Whose p50 is taken from that of the others. */
  readonly above: string | null;
  readonly subjects: readonly Subject[];
}

export function casesWith(programs: Programs): readonly Case[] {
  const [schema, fromRedis] = [
    fastify('fastify', 'Fastify, an object by schema', false),
    fastify('fastify-redis', 'Fastify, a text from Redis', true),
  ];
  return [
    {
      id: 'submit',
      name: 'Submit: `POST /avatars`, answered 202 when Modellix has taken it',
      beside: ['http-proxy', 'bare'],
      above: 'bare',
      subjects: [
        rig('POST'),
        forwarder('bare', '`node:http` and undici'),
        forwarder('http-proxy', '`@fastify/http-proxy`'),
        ...proxies(programs),
        ...STORES.map((store) => gateway(store, 'submit')),
      ],
    },
    {
      id: 'read',
      name: 'Read: `GET /avatars/{id}`, the same avatar again and again',
      beside: ['fastify', 'fastify-redis'],
      above: null,
      subjects: [rig('GET'), schema, fromRedis, gateway('embedded', 'read'), gateway('everysec', 'read')],
    },
    {
      id: 'unchanged',
      name: 'Read with `If-None-Match`, answered 304',
      beside: ['fastify'],
      above: null,
      subjects: [schema, gateway('embedded', 'unchanged'), gateway('everysec', 'unchanged')],
    },
  ];
}
