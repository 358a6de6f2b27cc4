/** Environment and secret files -> one frozen, typed Config. The only reader of the environment. */

import { parseSecrets } from '../domain/callbacks/webhook-secret.js';
import { type ProxySettings, parseProxy } from '../modellix/proxies.js';
import { type Network, parseNetworks } from '../outbound/addresses.js';
import type { Config } from './config.js';
import {
  ConfigError,
  PROXY_VARIABLES,
  readNamedFile,
  SECRETS,
  secretFilesIn,
  valuesOf,
} from './environment.js';
import type { Environment } from './settings.js';

export { ConfigError, SECRETS } from './environment.js';
export { SETTINGS } from './setting-list.js';

/**
 * Reads and checks the configuration.
 * @throws {ConfigError} for the first variable at fault
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const values = valuesOf(env);
  for (const name of ['MODELLIX_BASE_URL', 'MODELLIX_WEBHOOK_URL', 'PUBLIC_URL', 'REDIS_URL'] as const) {
    for (const url of hostsIn(values[name] ?? '')) {
      if (!URL.canParse(url)) {
        throw new ConfigError(`${name} is not a URL: its host or its port cannot be read`);
      }
    }
  }
  if (values.POLL_MIN_SECONDS > values.POLL_MAX_SECONDS) {
    throw new ConfigError('POLL_MIN_SECONDS must not be greater than POLL_MAX_SECONDS');
  }
  return Object.freeze<Config>({
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    callers: callersIn(values),
    secretFiles: Object.freeze([
      ...(values.CALLERS_FILE === undefined ? [] : [{ variable: 'CALLERS_FILE', file: values.CALLERS_FILE }]),
      ...secretFilesIn(env),
    ]),
    trustedProxies: listIn('TRUSTED_PROXIES', parseProxies, values.TRUSTED_PROXIES),
    management:
      values.MANAGEMENT_PORT === undefined
        ? null
        : Object.freeze({ host: values.MANAGEMENT_HOST ?? values.HOST, port: values.MANAGEMENT_PORT }),
    pushes: pushesIn(values),
    maxConnections: values.MAX_CONNECTIONS,
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    rateLimitFails: values.RATE_LIMIT_FAILS,
    usdPerSecond: Object.freeze({
      std: values.PRICE_STD_USD_PER_SECOND,
      pro: values.PRICE_PRO_USD_PER_SECOND,
    }),
    maxWaiters: values.MAX_WAITERS,
    readStalenessMs: values.READ_STALENESS_MS,
    requireIdempotencyKey: values.REQUIRE_IDEMPOTENCY_KEY,
    publicUrl: values.PUBLIC_URL?.replace(/\/$/, '') ?? null,
    shutdownDelayMs: values.SHUTDOWN_DELAY_SECONDS * 1000,
    allowedHosts: Object.freeze(values.ALLOWED_HOSTS?.toLowerCase().split(',') ?? []),
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
    modellix: Object.freeze({
      keys: Object.freeze(values.MODELLIX_API_KEY.split(',')),
      keyFile: env.MODELLIX_API_KEY_FILE || null,
      baseUrl: values.MODELLIX_BASE_URL.replace(/\/+$/, ''),
      submitPaths: Object.freeze([...new Set(values.MODELLIX_SUBMIT_PATH.split(','))]),
      tasksPath: values.MODELLIX_TASKS_PATH,
      proxies: proxiesIn(values),
      connectTimeoutMs: values.MODELLIX_CONNECT_TIMEOUT_SECONDS * 1000,
      submitTimeoutMs: values.MODELLIX_SUBMIT_TIMEOUT_SECONDS * 1000,
      queryTimeoutMs: values.MODELLIX_QUERY_TIMEOUT_SECONDS * 1000,
      videoTimeoutMs: values.VIDEO_TIMEOUT_SECONDS * 1000,
      longPollMs: values.MODELLIX_LONG_POLL_SECONDS * 1000,
    }),
    limits: Object.freeze({
      callsPerMinute: values.MODELLIX_CALLS_PER_MINUTE,
      tasks: values.MODELLIX_CONCURRENCY,
    }),
    media: Object.freeze({
      maxBytes: values.MEDIA_MEMORY_MEGABYTES * 1_000_000,
      uploadStallMs: values.UPLOAD_STALL_SECONDS * 1000,
      urls: Object.freeze({
        check: values.CHECK_MEDIA_URLS,
        timeoutMs: values.MEDIA_URL_TIMEOUT_SECONDS * 1000,
        allowedNetworks: listIn('MEDIA_URL_NETWORKS', parseNetworks, values.MEDIA_URL_NETWORKS),
      }),
    }),
    callbacks: Object.freeze({
      secrets: listIn('WEBHOOK_SECRETS', parseSecrets, values.WEBHOOK_SECRETS),
      timeoutMs: values.CALLBACK_TIMEOUT_SECONDS * 1000,
      allowedNetworks: listIn('CALLBACK_NETWORKS', parseNetworks, values.CALLBACK_NETWORKS),
    }),
    videos: Object.freeze({
      stallMs: values.VIDEO_STALL_SECONDS * 1000,
      allowedNetworks: listIn('VIDEO_NETWORKS', parseNetworks, values.VIDEO_NETWORKS),
      keep:
        values.KEEP_VIDEOS_DIR === undefined
          ? null
          : Object.freeze({
              dir: values.KEEP_VIDEOS_DIR,
              maxBytes: values.KEEP_VIDEO_MAX_MEGABYTES * 1_000_000,
              maxTotalBytes: values.KEEP_VIDEOS_MAX_GIGABYTES * 1_000_000_000,
            }),
    }),
    dataDir: values.DATA_DIR,
    store: Object.freeze(
      values.REDIS_URL === undefined
        ? { kind: 'embedded' as const }
        : {
            kind: 'redis' as const,
            url: values.REDIS_URL,
            sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
            tlsCa:
              values.REDIS_TLS_CA_FILE === undefined
                ? undefined
                : readNamedFile('REDIS_TLS_CA_FILE', values.REDIS_TLS_CA_FILE),
            tlsServername: values.REDIS_TLS_SERVERNAME,
            files: Object.freeze({
              url: env.REDIS_URL_FILE || undefined,
              sentinelPassword: env.REDIS_SENTINEL_PASSWORD_FILE || undefined,
              tlsCa: values.REDIS_TLS_CA_FILE,
            }),
            keyPrefix: values.REDIS_KEY_PREFIX,
            durability: values.REDIS_DURABILITY,
            waitFor: Object.freeze({
              replicas: values.REDIS_WAIT_REPLICAS,
              ownFile: values.REDIS_WAIT_AOF,
            }),
          },
    ),
    gateway: Object.freeze({
      submitGraceMs: values.SUBMIT_GRACE_SECONDS * 1000,
      pollMinMs: values.POLL_MIN_SECONDS * 1000,
      pollMaxMs: values.POLL_MAX_SECONDS * 1000,
      queueBounds: Object.freeze({
        maxAvatars: values.QUEUE_MAX_AVATARS,
        maxBytes: values.QUEUE_MAX_MEGABYTES * 1_000_000,
      }),
      unconfirmedHoldMs: values.UNCONFIRMED_HOLD_MINUTES * 60_000,
      queueTimeoutMs: values.QUEUE_TIMEOUT_MINUTES * 60_000,
      taskTimeoutMs: values.TASK_TIMEOUT_MINUTES * 60_000,
      retentionMs: values.RETENTION_DAYS * 86_400_000,
      notMadeOn: new Set([
        ...(values.MODELLIX_429_MEANS_NOT_MADE ? [429] : []),
        ...(values.MODELLIX_503_MEANS_NOT_MADE ? [503] : []),
      ]),
    }),
  });
}

/**
 * Takes the secrets out of the environment, so that neither a thread nor a child inherits them, and no report of a crash
 * shows them. What the process was started with stays in /proc.
 */
export function forgetSecrets(env: NodeJS.ProcessEnv = process.env): void {
  for (const name of [...SECRETS, ...PROXY_VARIABLES, ...PROXY_VARIABLES.map((name) => name.toLowerCase())]) {
    delete env[name];
  }
}

/** @throws {ConfigError} where it is not said clearly who may call */
function callersIn({ HOST, CALLERS_FILE, ALLOW_ANONYMOUS }: Environment): Config['callers'] {
  if (CALLERS_FILE !== undefined) {
    if (ALLOW_ANONYMOUS) {
      throw new ConfigError('CALLERS_FILE says who may call, ALLOW_ANONYMOUS=true that anyone may: give one');
    }
    return Object.freeze({ kind: 'file', file: CALLERS_FILE });
  }
  if (ALLOW_ANONYMOUS) return Object.freeze({ kind: 'anyone' });
  if (!isLoopback(HOST)) {
    throw new ConfigError(
      `HOST=${HOST} is not a loopback address: say in CALLERS_FILE who may call, or set ALLOW_ANONYMOUS=true to serve whoever reaches it`,
    );
  }
  return Object.freeze({ kind: 'loopback' });
}

/** @throws {ConfigError} where pushes have a port and nobody is told of it */
function pushesIn(values: Environment): Config['pushes'] {
  const { MODELLIX_WEBHOOK_URL: url, MODELLIX_WEBHOOK_PORT: port, MODELLIX_WEBHOOK_HOST: host } = values;
  if (url === undefined) {
    if (port === undefined) return null;
    throw new ConfigError('MODELLIX_WEBHOOK_PORT is of no use without MODELLIX_WEBHOOK_URL: give both');
  }
  const listen = port === undefined ? null : Object.freeze({ host: host ?? values.HOST, port });
  return Object.freeze({ url: url.replace(/\/$/, ''), listen });
}

/** @throws {ConfigError} */
function proxiesIn({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: Environment): ProxySettings {
  for (const [name, value] of Object.entries({ HTTPS_PROXY, HTTP_PROXY })) {
    if (value !== undefined) namingErrors(name, () => parseProxy(value));
  }
  return Object.freeze({ http: HTTP_PROXY, https: HTTPS_PROXY, except: NO_PROXY });
}

/** @throws {TypeError} for what {@link parseNetworks} does not take, and for a network that everyone is in */
function parseProxies(text: string): readonly Network[] {
  const networks = parseNetworks(text);
  if (networks.some(([, bits]) => bits === 0)) {
    throw new TypeError('a network with /0 would believe everyone; give the addresses of the proxies');
  }
  if (networks.some(([, , isClosed]) => isClosed)) throw new TypeError('a proxy has no ! before it');
  return networks;
}

function listIn<T>(name: string, parse: (text: string) => readonly T[], text = ''): readonly T[] {
  return Object.freeze(namingErrors(name, () => parse(text)));
}

/** A parser's TypeError becomes one that names the variable. */
function namingErrors<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new ConfigError(`${name}: ${(error as Error).message}`);
  }
}

/** A URL that names several hosts, as one for each of them. */
function hostsIn(url: string): string[] {
  const [, scheme, hosts = '', path = ''] = /^([a-z]+)(?:\+[a-z]+)?:\/\/([^/]*)(.*)$/.exec(url) ?? [];
  return hosts
    .split(',')
    .filter(() => scheme !== undefined)
    .map((host) => `${scheme}://${host}${path}`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
