/** Who is on the stage: the simulator, Redis, and the gateways. */

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { argsFor, buildGateway } from '../support/build.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import type { Life } from './logs.js';
import { Member } from './member.js';
import { spawnScript } from './process.js';
import { Control } from './weather.js';

/** Each of a team of its own, so that one that rests leaves the others. */
const KEYS = ['storm-key-1', 'storm-key-2', 'storm-key-3', 'storm-key-4'];
/** What Modellix allows each of them; the gateways believe in a little more, and find out. */
const CALLS_PER_MINUTE = 1500;
const CONCURRENCY = 40;
const BELIEVED_CONCURRENCY = 50;
export const PREFIX = 'storm';

/** What gateways share, or have alone. `redis-snapshots`: on disk only now and then, as Redis is when nobody configured it. */
export const STORES = ['redis', 'redis-snapshots', 'embedded'] as const;
export type StormStore = (typeof STORES)[number];

/** As short as the settings allow, so that leases lapse and pauses end while the storm lasts. */
const GATEWAY = {
  PORT: '0',
  MODELLIX_CALLS_PER_MINUTE: String(CALLS_PER_MINUTE),
  MODELLIX_CONCURRENCY: String(BELIEVED_CONCURRENCY),
  UNCONFIRMED_HOLD_MINUTES: '1',
  MODELLIX_CONNECT_TIMEOUT_SECONDS: '1',
  MODELLIX_SUBMIT_TIMEOUT_SECONDS: '1',
  MODELLIX_QUERY_TIMEOUT_SECONDS: '1',
  SUBMIT_GRACE_SECONDS: '2',
  POLL_MIN_SECONDS: '1',
  POLL_MAX_SECONDS: '2',
  TASK_TIMEOUT_MINUTES: '1',
  RATE_LIMIT_PER_MINUTE: '1000000',
  MODELLIX_WEBHOOK_URL: 'https://storm.example',
};

const SIMULATOR = {
  PORT: '0',
  SIMULATOR_API_KEYS: KEYS.map((key) => `${key}:team-of-${key}`).join(','),
  SIMULATOR_CALLS_PER_MINUTE: String(CALLS_PER_MINUTE),
  SIMULATOR_CONCURRENCY: String(CONCURRENCY),
  SIMULATOR_BALANCE: '1000000000',
  SIMULATOR_TASK_MS: '200-1500',
  SIMULATOR_FAILURE_RATE: '0.1',
};

export interface CastOptions {
  readonly dir: string;
  readonly seed: number;
  readonly store: StormStore;
  readonly gateways: number;
  /** A line that a process of a gateway logged. */
  readonly onLog: (line: string, life: Life) => void;
  /** A gateway that ended though nobody told it to, or could not start. */
  readonly onCrash: (detail: string) => void;
}

export interface Cast {
  readonly control: Control;
  readonly ledgerFile: string;
  readonly members: readonly Member[];
  readonly redis: RedisServer | null;
  /** What gateways could not settle, as names of files. */
  spooled(): Promise<string[]>;
  /** Ends every process of the storm. */
  leave(): Promise<void>;
}

export async function gatherCast(options: CastOptions): Promise<Cast> {
  const { dir, seed, onLog, onCrash } = options;
  await mkdir(join(dir, 'logs'), { recursive: true });
  const ledgerFile = join(dir, 'ledger.jsonl');
  const script = await buildGateway(join(dir, 'build'));
  const simulator = await spawnScript({
    args: argsFor('test/simulator/main'),
    env: { ...SIMULATOR, SIMULATOR_SEED: String(seed), LEDGER_FILE: ledgerFile },
    logFile: join(dir, 'logs', 'simulator.log'),
    urlIn: (line) => /(http:\/\/[^\s"]+)/.exec(line)?.[1],
  });
  const control = new Control(simulator.url);

  const endings: (() => void | Promise<void>)[] = [];
  const isDurable = options.store === 'redis';
  const redis = options.store === 'embedded' ? null : await privateRedis(dir, endings, isDurable);
  const members = Array.from({ length: options.gateways }, (_, index) => {
    const name = `gateway-${index + 1}`;
    const dataDir = join(dir, name);
    const logFile = join(dir, 'logs', `${name}.log`);
    const env = {
      ...GATEWAY,
      // As in a rotation: not every replica has every key that tasks were made with.
      MODELLIX_API_KEY: KEYS.slice(0, KEYS.length - index).join(','),
      MODELLIX_BASE_URL: simulator.url,
      DATA_DIR: dataDir,
      ...(redis && { REDIS_URL: redis.url, REDIS_KEY_PREFIX: PREFIX }),
    };
    const urlIn = (line: string) => /"msg":"Server listening at (http:[^"]+)"/.exec(line)?.[1];
    const spawn = () => {
      const life: Life = new Set();
      return spawnScript({ args: [script], env, logFile, urlIn, onLine: (line) => onLog(line, life) });
    };
    return new Member({ name, dataDir, spawn, onCrash });
  });
  await Promise.all(members.map((member) => member.start()));

  return {
    control,
    ledgerFile,
    members,
    redis,
    async spooled() {
      const dirs = members.map(({ dataDir }) => readdir(join(dataDir, 'answers')));
      return (await Promise.all(dirs)).flat();
    },
    async leave() {
      await Promise.all(members.map((member) => member.end('SIGKILL')));
      await simulator.stop('SIGKILL');
      for (const end of endings) await end();
    },
  };
}

/** On disk after every write, as far as a kill of the process can tell; or only when it is told to. */
async function privateRedis(
  dir: string,
  endings: (() => void | Promise<void>)[],
  isDurable: boolean,
): Promise<RedisServer> {
  const folder = join(dir, 'redis');
  await mkdir(folder);
  const teardown = (end: () => void | Promise<void>) => endings.push(end);
  const args = isDurable ? ['--appendfsync', 'always'] : [];
  return startRedis({ teardown }, { appendonly: isDurable, args, dir: folder });
}
