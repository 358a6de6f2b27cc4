/** The composition root: Config -> a server and the work behind it, everything wired, nothing hidden. */

import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Config } from './config.js';
import { createGateway } from './gateway/gateway.js';
import { buildServer } from './http/server.js';
import { createModellixClient } from './modellix/client.js';
import { openEmbeddedStore } from './store/embedded.js';
import { openRedisStore } from './store/redis/redis.js';
import type { Store } from './store/store.js';

/** What a lease allows on top of the longest call it covers. */
const LEASE_MARGIN_MS = 30_000;

export interface App {
  readonly server: FastifyInstance;
  /** Begins to work on due avatars. */
  start(): void;
  /** Not ready from now on; answers what is under way, then ends every connection and file. */
  close(): Promise<void>;
}

/** @throws when the embedded store cannot be opened; Redis may be away and come later */
export async function buildApp(config: Config, log: FastifyBaseLogger, version: string): Promise<App> {
  const store = await openStore(config, log);
  const modellix = createModellixClient({ ...config.modellix, userAgent: `avatar-gateway/${version}` });
  const { submitTimeoutMs, queryTimeoutMs, connectTimeoutMs } = config.modellix;
  const gateway = createGateway({
    store,
    modellix,
    log,
    random: Math.random,
    settings: {
      ...config.gateway,
      submitLeaseMs: connectTimeoutMs + submitTimeoutMs + LEASE_MARGIN_MS,
      stepLeaseMs: connectTimeoutMs + queryTimeoutMs + LEASE_MARGIN_MS,
    },
  });
  const server = await buildServer({ gateway, log, rateLimitPerMinute: config.rateLimitPerMinute, version });
  return {
    server,
    start: () => gateway.start(),
    async close() {
      gateway.stop();
      await server.close();
      await gateway.drained();
      await modellix.close();
      await store.close();
    },
  };
}

async function openStore({ store }: Config, log: FastifyBaseLogger): Promise<Store> {
  if (store.kind === 'embedded') return openEmbeddedStore({ dir: store.dir });
  return openRedisStore({
    url: store.url,
    keyPrefix: store.keyPrefix,
    onEvent: (event, error) => {
      if (event === 'lost') log.warn({ err: error }, 'the connection to Redis is lost');
      else log.info('connected to Redis');
    },
  });
}
