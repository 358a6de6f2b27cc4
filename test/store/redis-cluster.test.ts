/**
 * The store on a Redis Cluster of three masters, as the user of docs/redis.md: each avatar's keys on one of them in turn.
 * What happens when a master goes is in redis-cluster-failover.test.ts.
 */

import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import t from 'tap';
import type { ClientOptions } from '../../src/store/redis/connection/connector.js';
import { Subscription } from '../../src/store/redis/connection/subscription.js';
import { startCluster } from '../support/redis-cluster.js';
import { commandSays } from '../support/redis-command.js';
import { asUser, COMMANDS, PREFIX, USER, withUser } from '../support/redis-user.js';
import { until } from '../support/until.js';
import { storeContract } from './contract.js';
import type { Raw } from './contract-damage.js';
import { avatarOf, beginWith, CALLER, dueIn, freely, LONG, SUBMISSION } from './fixtures.js';
import { documentAt, heardBy, holdsSubmission, openConnected, overwriteDocument } from './fixtures-redis.js';

t.setTimeout(600_000);

const cluster = await startCluster(t, { args: withUser({ anyPrefix: true }) });
const [first, second, third] = cluster.nodes;
const url = asUser(cluster.url);
for (const node of cluster.nodes) await cluster.command(node, 'CONFIG', 'RESETSTAT');
let opened = 0;

storeContract('redis: cluster', async (t) => {
  const holder = cluster.nodes[opened++ % cluster.nodes.length];
  if (holder === undefined) throw new Error('the cluster has no nodes');
  const keyPrefix = await cluster.tagOf(holder, `${PREFIX}-${randomUUID()}-`);
  const store = await openConnected(t, { url, keyPrefix });
  return {
    store,
    raw: (work) => atRest(holder.port, keyPrefix, work),
    async submissions() {
      const keys = (await cluster.command(holder, 'KEYS', `{${keyPrefix}}:*`)) as string[];
      return keys.filter(holdsSubmission);
    },
  };
});

async function atRest<T>(port: number, prefix: string, work: (raw: Raw) => Promise<T>): Promise<T> {
  const client = new Redis({ port, ...USER, disableClientInfo: true });
  const key = (kind: string, id: string) => `{${prefix}}:${kind}:${id}`;
  const result = await work({
    record: (id) => documentAt(client, key('avatar', id)),
    overwrite: (id, bytes) => overwriteDocument(client, key('avatar', id), bytes),
    quarantined: (id) => documentAt(client, key('corrupt', id)),
  });
  await client.quit();
  return result;
}

t.test('redis: cluster: what is written at one node is heard at another', async (t) => {
  if (first === undefined || second === undefined || third === undefined) throw new Error('too few nodes');
  const keyPrefix = await cluster.tagOf(second, PREFIX);
  const store = await openConnected(t, { url, keyPrefix });
  const channel = `{${keyPrefix}}:changes`;
  const connect = (options: ClientOptions) =>
    new Redis({ ...options, port: third.port, ...USER, disableClientInfo: true });
  const subscription = new Subscription(connect, channel, 200);
  t.teardown(() => subscription.close());
  const heard = [new Set<string>(), new Set<string>()] as const;
  subscription.listen((change) => change && heard[0].add(change.id));
  t.teardown(store.onChange((change) => change && heard[1].add(change.id)));
  for (const { port } of [second, third]) {
    const client = new Redis(port);
    t.teardown(() => client.disconnect());
    await heardBy(client, channel, 1);
  }
  // On a busy machine a ping is answered too late: what is said before the subscription is back is not heard.
  const made: string[] = [];
  const isHeard = async () => {
    made.push((await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar.id);
    return made.some((id) => heard.every((ids) => ids.has(id))) || null;
  };
  await until('one is heard of at both', isHeard, { everyMs: 5 });
  await commandSays(third.port, {}, /cmdstat_ping:/, 'INFO', 'commandstats');
});

t.test('redis: cluster: what is known is asked for by its version', async (t) => {
  const store = await openConnected(t, { url, keyPrefix: PREFIX });
  const made = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, { begin: beginWith(freely()) }));
  const known = await store.find(CALLER, made.avatar.id);
  t.equal(await store.find(CALLER, made.avatar.id, known), known);
});

t.test('redis: cluster: where no replica has a write, it does not count', async (t) => {
  const waitFor = { replicas: 1, ownFile: false };
  const store = await openConnected(t, { url, keyPrefix: PREFIX, waitFor, commandTimeoutMs: 200 });
  await t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), { message: /too few copies/ });
});

t.test('redis: cluster: the user had every right that was needed, and needed each', async (t) => {
  const said = cluster.nodes.map(async (node) => ({
    stats: String(await cluster.command(node, 'INFO', 'commandstats')),
    denied: await cluster.command(node, 'ACL', 'LOG'),
  }));
  const nodes = await Promise.all(said);
  for (const { denied } of nodes) t.same(denied, []);
  const stats = nodes.map((node) => node.stats).join('\n');
  const used = new Set([...stats.matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name]) => name));
  t.same(
    COMMANDS.filter((name) => !used.has(name)),
    [],
  );
  t.ok(COMMANDS.length > 20);
});
