/** The composition root: Config -> a server and the work behind it, everything wired, nothing hidden. */

import { join } from 'node:path';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Callers } from './callers/open.js';
import type { Config } from './config/config.js';
import type { Answer } from './gateway/answer.js';
import { createGateway, type Gateway } from './gateway/gateway.js';
import { Memory } from './gateway/intake/memory.js';
import { basePathOf } from './http/arrival.js';
import { avatarView } from './http/avatar/view.js';
import { MAX_MANAGEMENT_CONNECTIONS, MAX_PUSH_CONNECTIONS } from './http/connection-limits.js';
import { success, taskView } from './http/dropin/view.js';
import { WINDOW_MS } from './http/plugins/limits.js';
import { operationsRoutes } from './http/routes/operations.js';
import { pushRoutes } from './http/routes/pushes.js';
import { buildServer } from './http/server.js';
import { buildSideServer } from './http/side-server.js';
import { ThreadedInspector } from './media/inspector.js';
import { createModellixClient } from './modellix/client.js';
import {
  logProxy,
  openCallersOf,
  openKeyring,
  openStore,
  openVideos,
  StartError,
  warnOfLooseFiles,
} from './open.js';
import { isInNetworks } from './outbound/addresses.js';
import { createMediaFetcher } from './outbound/fetcher.js';
import { createCallbackSender } from './outbound/sender.js';
import { videoConnector } from './outbound/video-connector.js';
import { CachedReads } from './store/cached.js';
import { RequestCounts } from './store/request-counts.js';
import { openSpool } from './store/spool.js';
import type { Store } from './store/store.js';
import { createMetrics } from './telemetry/metrics.js';

/** How long one try to keep a video may take: the largest there may be by default, at 0.7 MB/s. */
const KEEP_TRY_MS = 300_000;
/** Above the longest that a store takes over one write before it says that it cannot (5 s with Redis). */
const STORE_WRITE_MS = 6_000;

export interface App {
  readonly server: FastifyInstance;
  /** Health and metrics, where they have a server of their own. */
  readonly management: FastifyInstance | null;
  /** What Modellix pushes, likewise. */
  readonly pushes: FastifyInstance | null;
  /** Begins to work on due avatars. */
  start(): void;
  /** Reads the file of callers again, where there is one. */
  reload(): Promise<void>;
  /** Not ready from now on, and otherwise as before. */
  retire(): void;
  /** Not ready from now on; answers what is under way, then ends every connection and file. */
  close(): Promise<void>;
}

/**
 * @throws {StartError} where the data directory cannot be used; Redis may be away and come later
 * @throws {ConfigError} where the file of callers is invalid
 */
export async function buildApp(config: Config, log: FastifyBaseLogger, version: string): Promise<App> {
  await warnOfLooseFiles(config, log);
  const callers = await openCallersOf(config, log);
  const store = await openStore(config, log).catch((cause: Error) => {
    throw new StartError(cause.message, { cause });
  });
  try {
    return await compose(config, log, version, callers, store);
  } catch (error) {
    callers?.close();
    await store.close();
    throw error;
  }
}

async function compose(
  config: Config,
  log: FastifyBaseLogger,
  version: string,
  callers: Callers | null,
  store: Store,
): Promise<App> {
  const spool = await openSpool<Answer>(join(config.dataDir, 'answers')).catch(
    (cause: NodeJS.ErrnoException) => {
      const why = `DATA_DIR=${config.dataDir} cannot be written (${cause.code})`;
      throw new StartError(`${why}: answers wait there while the store is away`, { cause });
    },
  );
  const videos = await openVideos(config, log);
  const keyring = openKeyring(config, log);
  logProxy(config, log);
  const modellix = createModellixClient({
    ...config.modellix,
    userAgent: `avatar-gateway/${version}`,
    connectToVideos: videoConnector({
      connectTimeoutMs: config.modellix.connectTimeoutMs,
      vendorOrigin: new URL(config.modellix.baseUrl).origin,
      allowedNetworks: config.videos.allowedNetworks,
    }),
  });
  const { submitTimeoutMs, queryTimeoutMs, connectTimeoutMs, longPollMs } = config.modellix;
  const memory = new Memory(config.media.maxBytes);
  const metrics = createMetrics({
    health: () => store.health(),
    upstream: () => gateway.upstream(),
    mediaBytes: () => memory.heldBytes,
    videoBytes: () => videos?.usedBytes ?? 0,
  });
  const { pollMinMs, pollMaxMs, ...rest } = config.gateway;
  const inspector = new ThreadedInspector();
  const { check, ...fetching } = config.media.urls;
  const fetcher = createMediaFetcher({ ...fetching, userAgent: `avatar-gateway/${version}` });
  const sender = createCallbackSender({ ...config.callbacks, userAgent: `avatar-gateway/${version}` });
  const { readStalenessMs, publicUrl } = config;
  const hearsAll = config.store.kind === 'embedded';
  const reads = new CachedReads(store, { maxAgeMs: readStalenessMs, hearsAll });
  const gateway: Gateway = createGateway({
    reads,
    inspector,
    callbacks: sender,
    callers,
    render: (avatar) => avatarView({ avatar, queue: null }, basePathOf(publicUrl)),
    renderTask: (avatar, base, link) => success(taskView(avatar, base, link)),
    urls: check === 'off' ? null : fetcher,
    videos,
    memory,
    store,
    spool,
    modellix,
    keyring,
    ceiling: config.limits,
    submitPaths: config.modellix.submitPaths,
    timing: { pollMinMs, pollMaxMs, longPollMs },
    pushUrl: config.pushes?.url ?? null,
    log,
    counts: metrics.counts,
    random: Math.random,
    settings: {
      ...rest,
      urlsMustAnswer: check === 'strict',
      webhookSecrets: config.callbacks.secrets,
      prices: config.usdPerSecond,
      submitLeaseMs: leaseFor(connectTimeoutMs + submitTimeoutMs),
      stepLeaseMs: leaseFor(connectTimeoutMs + longPollMs + queryTimeoutMs),
      commonLeaseMs: leaseFor(config.callbacks.timeoutMs),
      keepTryMs: KEEP_TRY_MS,
      keepLeaseMs: leaseFor(KEEP_TRY_MS),
    },
  });
  const requestCounts = new RequestCounts(store, WINDOW_MS, (err) => {
    log.warn({ err }, 'requests are counted by this process alone: the store cannot be reached');
  });
  const { trustedProxies, maxConnections } = config;
  const management =
    config.management &&
    (await buildSideServer({ log, maxConnections: MAX_MANAGEMENT_CONNECTIONS }, operationsRoutes, {
      gateway,
      metrics,
    }));
  const { uploadStallMs } = config.media;
  const pushes = config.pushes?.listen
    ? await buildSideServer({ log, maxConnections: MAX_PUSH_CONNECTIONS }, pushRoutes, {
        gateway,
        uploadStallMs,
      })
    : null;
  const server = await buildServer({
    gateway,
    metrics,
    log,
    maxConnections,
    connections: metrics.connections,
    isTrustedProxy: trustedProxies.length === 0 ? null : (address) => isInNetworks(address, trustedProxies),
    isManagedElsewhere: management !== null,
    takesPushes: config.pushes?.listen === null,
    uploadStallMs,
    videoStallMs: config.videos.stallMs,
    maxWaiters: config.maxWaiters,
    auth: {
      callers,
      keyless: { isLocal: config.callers.kind === 'loopback', allowedHosts: config.allowedHosts, publicUrl },
    },
    limits: {
      requestsPerMinute: config.rateLimitPerMinute,
      fails: config.rateLimitFails,
      counts: requestCounts,
    },
    requireIdempotencyKey: config.requireIdempotencyKey,
    publicUrl,
    version,
  });
  return {
    server,
    management,
    pushes,
    start: () => gateway.start(),
    reload: async () => callers?.reload(),
    retire: () => gateway.retire(),
    async close() {
      gateway.stop();
      await Promise.all([server.close(), pushes?.close()]);
      await gateway.drained();
      // Only now: readiness has said for as long as it lasted that the gateway stops.
      await management?.close();
      keyring.close();
      callers?.close();
      await fetcher.close();
      await sender.close();
      await inspector.close();
      await modellix.close();
      reads.close();
      requestCounts.close();
      await videos?.close();
      await store.close();
    },
  };
}

/**
 * A lease that outlives the call it covers, the write of its answer, and a process that is held up meanwhile; the
 * longer the call may take, the more there is to hold up. One that lapses too early costs an answer, never a second POST.
 */
function leaseFor(longestCallMs: number): number {
  return longestCallMs + Math.max(STORE_WRITE_MS, longestCallMs / 2);
}
