/** A private Redis Cluster of three masters for tests, ended with the test that asked for it. */

import { type RedisServer, startRedis, type Teardown } from './redis.js';
import { type Command, command, commandSays, type Login } from './redis-command.js';
import { freePort } from './redis-process.js';
import { replicates } from './redis-replication.js';

export interface ClusterOptions {
  readonly replicas?: boolean;
  /** More of each node's command line. */
  readonly args?: readonly string[];
  readonly login?: Login;
}

export interface Cluster {
  /** The masters; where there are replicas, behind them those of each, in the same order. */
  readonly nodes: readonly RedisServer[];
  /** As `REDIS_URL` has it, without a login. It names two nodes. */
  readonly url: string;
  /** Sends a command to a node. */
  command(node: RedisServer, ...words: Command): Promise<unknown>;
  /** A hash tag that begins as told and whose slot the node had at first. */
  tagOf(node: RedisServer, prefix: string): Promise<string>;
}

const MASTERS = 3;
const SLOTS = 16_384;
/** Longer than a busy machine keeps a node waiting: a failure that is none loses writes. */
const NODE_TIMEOUT_MS = 1500;

export async function startCluster(t: Teardown, options: ClusterOptions = {}): Promise<Cluster> {
  const { replicas = false, login = {}, args = [] } = options;
  const tls = login.tls !== undefined;
  const node = () =>
    startRedis(t, {
      tls,
      args: async () => [
        ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
        ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--repl-diskless-sync-delay', '0'],
        ...args,
      ],
    });
  const nodes = await Promise.all(Array.from({ length: replicas ? 2 * MASTERS : MASTERS }, node));
  const say = (to: RedisServer, ...words: Command) => command(to.port, login, ...words);
  const all = (what: RegExp, ...words: Command) =>
    Promise.all(nodes.map(({ port }) => commandSays(port, login, what, ...words)));
  const begin = (i: number) => Math.ceil((i * SLOTS) / MASTERS);
  const busPortOf = async (each: RedisServer) =>
    /@(\d+)/.exec(String(await say(each, 'CLUSTER', 'NODES')))?.[1] ?? '';

  for (const [i, each] of nodes.entries()) {
    await say(each, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    if (i < MASTERS) await say(each, 'CLUSTER', 'ADDSLOTSRANGE', begin(i), begin(i + 1) - 1);
    if (i > 0) await say(nodes[0] ?? each, 'CLUSTER', 'MEET', '127.0.0.1', each.port, await busPortOf(each));
  }
  await all(new RegExp(`^cluster_known_nodes:${nodes.length}\r$`, 'm'), 'CLUSTER', 'INFO');
  for (const [i, each] of nodes.entries()) {
    const master = nodes[i - MASTERS];
    if (master === undefined) continue;
    await say(each, 'CLUSTER', 'REPLICATE', String(await say(master, 'CLUSTER', 'MYID')));
    await replicates(each, login);
  }
  await all(new RegExp(`(slave[\\s\\S]*){${nodes.length - MASTERS}}`), 'CLUSTER', 'NODES');
  await all(/^cluster_state:ok\r$/m, 'CLUSTER', 'INFO');

  const [one, two] = nodes.map(({ port }) => `127.0.0.1:${port}`);
  return {
    nodes,
    url: `${tls ? 'rediss' : 'redis'}+cluster://${one},${two}`,
    command: say,
    async tagOf(holder, prefix) {
      const i = nodes.indexOf(holder);
      for (let n = 0; ; n++) {
        const slot = Number(await say(holder, 'CLUSTER', 'KEYSLOT', `{${prefix}${n}}`));
        if (begin(i) <= slot && slot < begin(i + 1)) return `${prefix}${n}`;
      }
    },
  };
}
