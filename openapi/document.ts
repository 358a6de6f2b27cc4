import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { buildServer } from '../src/http/server.js';

/** The document that the routes describe, as it stands in `openapi/openapi.json`. No route is ever called. */
export async function openApiDocument(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const never = () => Promise.reject(new Error('not called'));
  const server = await buildServer({
    gateway: {
      create: never,
      finish: never,
      check: never,
      memory: { tryAcquire: () => null },
      read: never,
      list: never,
      cancel: never,
      forget: never,
      wait: never,
      follow: never,
      followAll: never,
      usage: never,
      resolve: never,
      deliveries: never,
      redeliver: never,
      video: never,
      videoUrl: never,
      videoLink: never,
      checkVideoLink: never,
      balance: never,
      push: never,
      ready: never,
      upstream: never,
      drained: never,
      start() {},
      retire() {},
      stop() {},
    },
    metrics: { render: never },
    log: pino({ level: 'silent' }),
    maxConnections: 1,
    connections: { opened() {}, closed() {}, dropped() {} },
    isTrustedProxy: null,
    isManagedElsewhere: false,
    takesPushes: true,
    auth: { callers: null, keyless: { isLocal: true, allowedHosts: [], publicUrl: null } },
    limits: {
      requestsPerMinute: 1,
      fails: 'closed',
      counts: { add: () => ({ count: 1, leftMs: 0 }), failure: null },
    },
    uploadStallMs: 1,
    videoStallMs: 1,
    maxWaiters: 1,
    requireIdempotencyKey: false,
    publicUrl: null,
    version,
  });
  await server.ready();
  const document = `${JSON.stringify(server.swagger(), null, 2)}\n`;
  await server.close();
  return document;
}
