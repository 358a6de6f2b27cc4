/** The composition root: Config -> a server and the work behind it, everything wired, nothing hidden. */

import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Callers } from './callers/open.js';
import type { Config } from './config/config.js';
import { ConfigError } from './config/read-config.js';
import { loosePermissions } from './disk/permissions.js';
import type { Answer } from './gateway/answer.js';
import { createGateway, type Gateway } from './gateway/gateway.js';
import { Memory } from './gateway/intake/memory.js';
import type { Log } from './gateway/log.js';
import { basePathOf } from './http/arrival.js';
import { avatarView } from './http/avatar/view.js';
import { buildManagement } from './http/management.js';
import { WINDOW_MS } from './http/plugins/limits.js';
import { buildServer } from './http/server.js';
import { ThreadedInspector } from './media/inspector.js';
import { createModellixClient } from './modellix/client.js';
import { watchKeyFile } from './modellix/key-file.js';
import { KeyPool, type Keyring } from './modellix/keyring.js';
import { readProxies } from './modellix/proxies.js';
import { isInNetworks } from './outbound/addresses.js';
import { createMediaFetcher } from './outbound/fetcher.js';
import { createCallbackSender } from './outbound/sender.js';
import { videoConnector } from './outbound/video-connector.js';
import { CachedReads } from './store/cached.js';
import type { RedisEvent } from './store/redis/redis.js';
import { RequestCounts } from './store/request-counts.js';
import { openSpool } from './store/spool.js';
import type { Store } from './store/store.js';
import { createMetrics } from './telemetry/metrics.js';
import { openVideoFolder, type VideoFolder } from './videos/folder.js';

/** How long one try to keep a video may take: the largest there may be by default, at 0.7 MB/s. */
const KEEP_TRY_MS = 300_000;
/** How long a kept video may outlive its avatar: clocks and folders are not always of one mind. */
const KEPT_BEYOND_MS = 86_400_000;
/** Above the longest that a store takes over one write before it says that it cannot (5 s with Redis). */
const STORE_WRITE_MS = 6_000;

export interface App {
  readonly server: FastifyInstance;
  /** Health and metrics, where they have a server of their own. */
  readonly management: FastifyInstance | null;
  /** Begins to work on due avatars. */
  start(): void;
  /** Reads the file of callers again, where there is one. */
  reload(): Promise<void>;
  /** Not ready from now on, and otherwise as before. */
  retire(): void;
  /** Not ready from now on; answers what is under way, then ends every connection and file. */
  close(): Promise<void>;
}

/** What stops the start and can be put right from outside. The message is one line. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * @throws {StartError} where the data directory is of no use; Redis may be away and come later
 * @throws {ConfigError} where the file of callers is of no use
 */
export async function buildApp(config: Config, log: FastifyBaseLogger, version: string): Promise<App> {
  await warnOfLooseFiles(config, log);
  const callers = await openCallersOf(config, log);
  const videos = await openVideos(config, log);
  const store = await openStore(config, log).catch((cause: Error) => {
    throw new StartError(cause.message, { cause });
  });
  const spool = await openSpool<Answer>(join(config.dataDir, 'answers')).catch(
    (cause: NodeJS.ErrnoException) => {
      const why = `DATA_DIR=${config.dataDir} cannot be written (${cause.code})`;
      throw new StartError(`${why}: answers wait there while the store is away`, { cause });
    },
  );
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
    urls: check === 'off' ? null : fetcher,
    videos,
    memory,
    store,
    spool,
    modellix,
    keyring,
    ceiling: config.limits,
    timing: { pollMinMs, pollMaxMs, longPollMs },
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
  const management = config.management && (await buildManagement({ gateway, metrics, log }));
  const server = await buildServer({
    gateway,
    metrics,
    log,
    maxConnections,
    connections: metrics.connections,
    isTrustedProxy: trustedProxies.length === 0 ? null : (address) => isInNetworks(address, trustedProxies),
    isManagedElsewhere: management !== null,
    uploadStallMs: config.media.uploadStallMs,
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
    start: () => gateway.start(),
    reload: async () => callers?.reload(),
    retire: () => gateway.retire(),
    async close() {
      gateway.stop();
      await server.close();
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

/** @returns `null` where callers are not told apart */
async function openCallersOf(config: Config, log: Log): Promise<Callers | null> {
  if (config.callers.kind !== 'file') return null;
  const { file } = config.callers;
  const [{ openCallers }, { CallersError }] = await Promise.all([
    import('./callers/open.js'),
    import('./callers/read.js'),
  ]);
  return openCallers({
    file,
    now: Date.now,
    onEvent(event) {
      if (event.kind === 'changed') {
        log.info({ callers: event.callers }, 'the file of callers was read again');
        void warnOfLooseFiles(config, log, file);
      } else {
        log.error({ reason: event.reason }, 'the file of callers is of no use; the callers of before go on');
      }
    },
  }).catch((error: Error) => {
    throw error instanceof CallersError ? new ConfigError(`CALLERS_FILE: ${error.message}`) : error;
  });
}

/** Of all files that hold secrets, or of the one that has changed. Variables are named, files are not. */
async function warnOfLooseFiles({ secretFiles }: Config, log: Log, changed?: string): Promise<void> {
  for (const { variable, file } of secretFiles) {
    const permissions = changed === undefined || changed === file ? await loosePermissions(file) : null;
    if (permissions === null) continue;
    log.warn({ variable, permissions }, 'a file that holds secrets can be read or changed by others');
  }
}

/** Without its login. */
function logProxy({ modellix: { baseUrl, proxies } }: Config, log: Log): void {
  const proxy = readProxies(proxies)(new URL(baseUrl));
  if (proxy === null) return;
  log.info({ proxy: new URL(proxy.origin).host }, 'requests to Modellix go through a proxy');
}

function openKeyring(config: Config, log: Log): Keyring {
  const { keys, keyFile } = config.modellix;
  if (keyFile === null) return new KeyPool(keys);
  return watchKeyFile(keyFile, keys, (event) => {
    if (event.kind === 'changed') {
      log.info({ keys: event.keys }, 'the file of keys was read again');
      void warnOfLooseFiles(config, log, keyFile);
    } else {
      log.error({ reason: event.reason }, 'the file of keys is of no use; the keys of before go on');
    }
  });
}

/** @throws {StartError} */
async function openVideos(
  { videos: { keep }, gateway: { retentionMs } }: Config,
  log: Log,
): Promise<VideoFolder | null> {
  if (keep === null) return null;
  const keptForMs = retentionMs + KEPT_BEYOND_MS;
  const onTrouble = (error: unknown) => log.warn({ err: error }, 'the folder of kept videos makes trouble');
  return openVideoFolder({ ...keep, keptForMs, onTrouble }).catch((cause: NodeJS.ErrnoException) => {
    const why = `KEEP_VIDEOS_DIR=${keep.dir} cannot be written (${cause.code})`;
    throw new StartError(`${why}: videos are kept there`, { cause });
  });
}

/** What the other store and the file of callers are read with is not loaded: a good part of the start would go into it. */
async function openStore({ store, dataDir }: Config, log: Log): Promise<Store> {
  if (store.kind === 'embedded') {
    const { openSqliteStore } = await import('./store/sqlite/sqlite.js');
    return openSqliteStore({ dir: dataDir });
  }
  const { openRedisStore } = await import('./store/redis/redis.js');
  const events = new EventEmitter<{ redis: [RedisEvent] }>();
  events.on('redis', (event) => logRedis(event, log));
  const opened = openRedisStore({ ...store, onEvent: (event) => events.emit('redis', event) });
  if (store.durability === 'strict') {
    const [event] = (await once(events, 'redis')) as [RedisEvent];
    await refuseUnsafe(event, opened);
  }
  return opened;
}

/** A Redis that is away may come later; one that can lose tasks stops the start. */
async function refuseUnsafe(event: RedisEvent, store: Store): Promise<void> {
  if (event.kind !== 'hazards') return;
  await store.close();
  throw new Error(
    `REDIS_DURABILITY=strict, and this Redis can lose tasks, or have them paid twice: ${event.hazards.join('; ')}`,
  );
}

function logRedis(event: RedisEvent, log: Log): void {
  switch (event.kind) {
    case 'connected':
      log.info({}, 'connected to Redis');
      break;
    case 'lost':
      log.warn({ err: event.error }, 'the connection to Redis is lost');
      break;
    case 'hazards':
      log.warn({ hazards: event.hazards }, 'this Redis can lose tasks, or have them paid twice');
      break;
    case 'emptied':
      log.error(
        {},
        'Redis came back empty: the avatars that were in it are lost, and their keys may be used again',
      );
      break;
    case 'rolled-back':
      log.error(
        {},
        'Redis came back as it was earlier: what was written last is lost; what this process sent is not sent again',
      );
  }
}
