/** The gateway as it is wired in production, in this process, beside a simulator. */

import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../../src/app.js';
import type { Config } from '../../src/config/config.js';
import { createLog } from '../../src/telemetry/log.js';
import {
  DEFAULT_KEY,
  type Simulator,
  type SimulatorOptions,
  SUBMIT_PATHS,
  startSimulator,
} from '../simulator/simulator.js';

/** What callbacks are signed with. */
export const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** What is needed of a test: a place to leave what is to be done at its end. */
interface Teardown {
  teardown(fn: () => void | Promise<void>): unknown;
}

type RedisConfig = Extract<Config['store'], { kind: 'redis' }>;

export interface RedisOverrides extends Partial<Pick<RedisConfig, 'waitFor' | 'tlsCa' | 'sentinelPassword'>> {
  readonly url: string;
  readonly prefix: string;
}

export interface AppOverrides {
  /** Unset: the embedded store, in a folder of its own. */
  readonly redis?: RedisOverrides;
  readonly simulator?: SimulatorOptions;
  /** A simulator that runs already and goes on running; with it, `simulator` has no meaning. */
  readonly beside?: Simulator;
  /** Unset: a folder of its own. */
  readonly dataDir?: string;
  readonly modellix?: Partial<Config['modellix']>;
  readonly gateway?: Partial<Config['gateway']>;
  readonly media?: Partial<Config['media']>;
  readonly callbacks?: Partial<Config['callbacks']>;
  readonly videos?: Partial<Config['videos']>;
  /** Unset: more than any test needs. */
  readonly limits?: Partial<Config['limits']>;
  /** Where it listens; unset: 127.0.0.1. */
  readonly host?: string;
  readonly callers?: Config['callers'];
  readonly secretFiles?: Config['secretFiles'];
  readonly trustedProxies?: Config['trustedProxies'];
  readonly management?: Config['management'];
  readonly pushes?: Config['pushes'];
  readonly maxConnections?: number;
  readonly rateLimitPerMinute?: number;
  readonly rateLimitFails?: Config['rateLimitFails'];
  readonly usdPerSecond?: Config['usdPerSecond'];
  readonly maxWaiters?: number;
  readonly readStalenessMs?: number;
  readonly logLevel?: Config['logLevel'];
  readonly requireIdempotencyKey?: boolean;
  readonly publicUrl?: string;
  readonly allowedHosts?: Config['allowedHosts'];
  /** How long the headers, and the whole of a request, may take to arrive. Looked at once a second. */
  readonly arrivalMs?: number;
}

export interface RunningApp {
  /** Without a slash at the end. */
  readonly url: string;
  /** Of health and metrics, where they have a port of their own. */
  readonly managementUrl: string | null;
  /** Of what Modellix pushes, likewise. */
  readonly pushUrl: string | null;
  readonly simulator: Simulator;
  readonly config: Config;
  /** As on SIGHUP. */
  reload(): Promise<void>;
  /** Everything logged so far, a line of JSON each. */
  logLines(): string[];
  /** Ends the gateway before the test does. Twice is fine. */
  close(): Promise<void>;
}

/** Tasks end when a test says so; looks at them come at once. */
const SIMULATOR: SimulatorOptions = {
  settings: { taskMs: { min: 3_600_000, max: 3_600_000 }, callsPerMinute: 1_000_000, concurrency: 1_000_000 },
};

/** Starts both on free ports of 127.0.0.1; both end with the test. */
export async function startApp(t: Teardown, overrides: AppOverrides = {}): Promise<RunningApp> {
  const simulator = overrides.beside ?? (await startSimulator(overrides.simulator ?? SIMULATOR));
  if (overrides.beside === undefined) t.teardown(() => simulator.close());

  const config = configOf(simulator.url, overrides.dataDir ?? (await dataDirOf(t)), overrides);
  const lines: string[] = [];
  const log = createLog(config.logLevel, { write: (line: string) => void lines.push(line.trimEnd()) });
  const app = await buildApp(config, log, '0.0.0-test');
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= app.close();
    return closing;
  };
  t.teardown(close);
  if (overrides.arrivalMs !== undefined) {
    app.server.server.headersTimeout = overrides.arrivalMs;
    app.server.server.requestTimeout = overrides.arrivalMs;
  }
  await app.server.listen({ host: config.host, port: config.port });
  if (config.management !== null) await app.management?.listen(config.management);
  if (config.pushes?.listen) await app.pushes?.listen(config.pushes.listen);
  app.start();
  const urlOf = (server: typeof app.server) =>
    `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return {
    url: urlOf(app.server),
    managementUrl: app.management && urlOf(app.management),
    pushUrl: app.pushes && urlOf(app.pushes),
    simulator,
    config,
    logLines: () => [...lines],
    reload: () => app.reload(),
    close,
  };
}

async function dataDirOf(t: Teardown): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-app-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function configOf(baseUrl: string, dataDir: string, overrides: AppOverrides): Config {
  const { redis } = overrides;
  return {
    host: overrides.host ?? '127.0.0.1',
    port: 0,
    logLevel: overrides.logLevel ?? 'debug',
    callers: overrides.callers ?? { kind: 'loopback' },
    secretFiles: overrides.secretFiles ?? [],
    trustedProxies: overrides.trustedProxies ?? [],
    management: overrides.management ?? null,
    pushes: overrides.pushes ?? null,
    maxConnections: overrides.maxConnections ?? 25_000,
    rateLimitPerMinute: overrides.rateLimitPerMinute ?? 1_000_000,
    rateLimitFails: overrides.rateLimitFails ?? 'open',
    usdPerSecond: overrides.usdPerSecond ?? { std: 0.0448, pro: 0.0896 },
    maxWaiters: overrides.maxWaiters ?? 20_000,
    readStalenessMs: overrides.readStalenessMs ?? 0,
    publicUrl: overrides.publicUrl ?? null,
    allowedHosts: overrides.allowedHosts ?? [],
    requireIdempotencyKey: overrides.requireIdempotencyKey ?? false,
    shutdownDelayMs: 0,
    shutdownGraceMs: 5_000,
    modellix: {
      keys: [DEFAULT_KEY],
      keyFile: null,
      baseUrl,
      submitPaths: SUBMIT_PATHS,
      tasksPath: '/api/v1/tasks',
      proxies: {},
      connectTimeoutMs: 2_000,
      submitTimeoutMs: 5_000,
      queryTimeoutMs: 5_000,
      videoTimeoutMs: 5_000,
      longPollMs: 0,
      ...overrides.modellix,
    },
    limits: { callsPerMinute: 1_000_000, tasks: 1_000_000, ...overrides.limits },
    media: {
      maxBytes: 256_000_000,
      uploadStallMs: 10_000,
      urls: { check: 'off', timeoutMs: 5_000, allowedNetworks: [] },
      ...overrides.media,
    },
    videos: { stallMs: 60_000, allowedNetworks: [], keep: null, ...overrides.videos },
    callbacks: { secrets: [WEBHOOK_SECRET], timeoutMs: 2_000, allowedNetworks: [], ...overrides.callbacks },
    dataDir,
    store:
      redis === undefined
        ? { kind: 'embedded' }
        : {
            kind: 'redis',
            url: redis.url,
            sentinelPassword: redis.sentinelPassword,
            tlsCa: redis.tlsCa,
            tlsServername: undefined,
            files: { url: undefined, sentinelPassword: undefined, tlsCa: undefined },
            keyPrefix: redis.prefix,
            durability: 'warn',
            waitFor: redis.waitFor ?? { replicas: 0, ownFile: false },
          },
    gateway: {
      submitGraceMs: 5_000,
      pollMinMs: 20,
      pollMaxMs: 50,
      queueTimeoutMs: 60_000,
      queueBounds: { maxAvatars: 1_000_000, maxBytes: 1e12 },
      unconfirmedHoldMs: 60_000,
      taskTimeoutMs: 60_000,
      retentionMs: 60_000,
      notMadeOn: new Set([429]),
      ...overrides.gateway,
    },
  };
}
