/** The store on a Redis Cluster whose nodes give up slots, go and hang, while it is written to. */

import t, { type Test } from 'tap';
import type { Store } from '../../src/store/store.js';
import type { RedisServer } from '../support/redis.js';
import { startCluster } from '../support/redis-cluster.js';
import { commandSays } from '../support/redis-command.js';
import { cutOff, REPLICATION, replicates } from '../support/redis-replication.js';
import { openConnected, reachable } from './fixtures-redis.js';
import { Load } from './load.js';

t.setTimeout(600_000);

const cluster = await startCluster(t, { replicas: true, args: REPLICATION });
const [first, second, third, ofFirst, ofSecond] = cluster.nodes as [
  ...[RedisServer, RedisServer, RedisServer],
  ...[RedisServer, RedisServer, RedisServer],
];

/** Three stores whose keys a node has, and which know no other node. A write counts once a replica has it. */
async function storesOn(t: Test, node: RedisServer): Promise<[Store, Store, Store]> {
  const options = {
    url: `redis+cluster://127.0.0.1:${node.port}`,
    keyPrefix: await cluster.tagOf(node, 'failover'),
    waitFor: { replicas: 1, ownFile: false },
    commandTimeoutMs: 2000,
  };
  const open = () => openConnected(t, options);
  return [await open(), await open(), await open()];
}

const isMaster = (node: RedisServer) => commandSays(node.port, {}, /^master/, 'ROLE');

t.test(
  'redis: cluster: a slot that moves to another master is followed, with all that is in it',
  async (t) => {
    const stores = await storesOn(t, third);
    const load = await Load.start(t, stores);
    await load.moreAcknowledged(50);

    const tag = await cluster.tagOf(third, 'failover');
    const slot = Number(await cluster.command(third, 'CLUSTER', 'KEYSLOT', `{${tag}}`));
    const [from, to] = [third, second];
    const idOf = async (node: RedisServer) => String(await cluster.command(node, 'CLUSTER', 'MYID'));
    const ids = { from: await idOf(from), to: await idOf(to) };
    await cluster.command(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids.from);
    await cluster.command(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids.to);
    for (;;) {
      const keys = (await cluster.command(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
      if (keys.length === 0) break;
      await cluster.command(from, 'MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys);
    }
    await load.refused(/ASK|TRYAGAIN/);
    for (const node of [to, from, first])
      await cluster.command(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', ids.to);
    await load.moreAcknowledged(50);
    await load.isAllThere(t);
    t.equal(await cluster.command(from, 'CLUSTER', 'COUNTKEYSINSLOT', slot), 0, 'none where it was');
  },
);

t.test('redis: cluster: a master is cut off and dies: what was acknowledged is at its replica', async (t) => {
  const stores = await storesOn(t, first);
  const load = await Load.start(t, stores);
  await load.moreAcknowledged(50);
  await cutOff(first);
  await load.refused(/too few copies/);
  await first.kill();
  await isMaster(ofFirst);
  await Promise.all(stores.map(reachable));
  await first.start();
  await replicates(first);
  await load.moreAcknowledged(50);
  await load.isAllThere(t);
});

t.test('redis: cluster: a master that hangs is left, and not used when it goes on', async (t) => {
  const stores = await storesOn(t, second);
  const load = await Load.start(t, stores);
  await load.moreAcknowledged(50);
  second.freeze();
  await isMaster(ofSecond);
  await Promise.all(stores.map(reachable));
  second.thaw();
  await replicates(second);
  await load.moreAcknowledged(50);
  await load.isAllThere(t);
});
