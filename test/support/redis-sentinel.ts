/** Private Sentinels with a master and its replicas for tests, ended with the test that asked for them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis, type Teardown } from './redis.js';
import { type Command, command, commandSays, type Login } from './redis-command.js';
import { type Server, startServer } from './redis-process.js';
import { replicates } from './redis-replication.js';
import { until } from './until.js';

export interface SentinelOptions {
  readonly sentinels?: number;
  readonly replicas?: number;
  /** More of the command line of each Redis, and of each sentinel's file. */
  readonly args?: readonly string[];
  readonly lines?: readonly string[];
  readonly login?: Login;
  /** What the sentinels ask for, of each other as well. */
  readonly sentinelPassword?: string;
}

export interface Sentinels {
  /** The first master, and its replicas. */
  readonly servers: readonly [RedisServer, ...RedisServer[]];
  readonly sentinels: readonly Server[];
  /** As `REDIS_URL` has it, without a login. */
  readonly url: string;
  /** Sends a command to a Redis. */
  command(server: RedisServer, ...words: Command): Promise<unknown>;
  /** Sends a command to a sentinel. */
  sentinel(sentinel: Server, ...words: Command): Promise<unknown>;
  /** Resolves with the one that has become the master in place of another. */
  successorOf(former: RedisServer): Promise<RedisServer>;
}

/** The name of the master behind the sentinels. */
export const MASTER = 'main';

export async function startSentinels(t: Teardown, options: SentinelOptions = {}): Promise<Sentinels> {
  const { sentinels: count = 3, replicas = 2, args = [], login = {}, sentinelPassword } = options;
  const tls = login.tls !== undefined;
  const ofSentinels: Login = {
    ...(tls && { tls: login.tls }),
    ...(sentinelPassword && { password: sentinelPassword }),
  };
  const common = [...args, '--repl-diskless-sync-delay', '0'];
  const master = await startRedis(t, { tls, args: common });
  const replica = () =>
    startRedis(t, { tls, args: [...common, '--replicaof', '127.0.0.1', String(master.port)] });
  const others = await Promise.all(Array.from({ length: replicas }, replica));
  for (const each of others) await replicates(each, login);

  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-sentinel-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const one = (i: number) =>
    startServer(t, async (port) => {
      // A sentinel rewrites its file: it needs one of its own, which it has again when it is started again.
      const file = join(dir, `${i}.conf`);
      const lines = [
        ...(tls ? ['port 0', `tls-port ${port}`] : [`port ${port}`]),
        ...['bind 127.0.0.1', `dir ${dir}`],
        ...(sentinelPassword ? [`requirepass ${sentinelPassword}`] : []),
        `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} ${Math.floor(count / 2) + 1}`,
        ...(login.username ? [`sentinel auth-user ${MASTER} ${login.username}`] : []),
        ...(login.password ? [`sentinel auth-pass ${MASTER} ${login.password}`] : []),
        `sentinel down-after-milliseconds ${MASTER} 1000`,
        `sentinel failover-timeout ${MASTER} 4000`,
        ...(options.lines ?? []),
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      return [file, '--sentinel'];
    });
  const sentinels = await Promise.all(Array.from({ length: count }, (_, i) => one(i)));
  const say = ({ port }: Server, ...words: Command) => command(port, ofSentinels, ...words);
  for (const sentinel of sentinels) {
    // They find each other in moments, and a clock that a busy machine held up is not taken for one that was set.
    const pace = ['PUBLISH-PERIOD', 100, 'INFO-PERIOD', 200, 'TILT-TRIGGER', 60_000];
    await say(sentinel, 'SENTINEL', 'DEBUG', ...pace);
  }
  for (const { port } of sentinels) {
    await commandSays(port, ofSentinels, new RegExp(`^OK ${count} usable`), 'SENTINEL', 'CKQUORUM', MASTER);
    const known = new RegExp(`(.*master-link-status,ok){${replicas}}`);
    await commandSays(port, ofSentinels, known, 'SENTINEL', 'REPLICAS', MASTER);
  }

  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join();
  return {
    servers: [master, ...others],
    sentinels,
    url: `${tls ? 'rediss' : 'redis'}+sentinel://${hosts}/${MASTER}`,
    command: ({ port }, ...words) => command(port, login, ...words),
    sentinel: say,
    successorOf: (former) =>
      until(
        'another one is the master',
        async () => {
          for (const server of [master, ...others]) {
            if (server === former) continue;
            const role = await command(server.port, login, 'ROLE').catch(() => []);
            if (String(role).startsWith('master')) return server;
          }
          return null;
        },
        { everyMs: 20, withinMs: 60_000 },
      ),
  };
}
