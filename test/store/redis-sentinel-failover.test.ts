/** The store behind Sentinels whose master is taken away while it is written to. */

import t, { type Test } from 'tap';
import type { Store } from '../../src/store/store.js';
import { cutOff, REPLICATION, replicates } from '../support/redis-replication.js';
import { type Sentinels, startSentinels } from '../support/redis-sentinel.js';
import { clientOf, openConnected, reachable } from './fixtures-redis.js';
import { Load } from './load.js';

t.setTimeout(600_000);

/** Three stores. A write counts once a replica has it. */
async function storesOn(t: Test, { url }: Sentinels): Promise<[Store, Store, Store]> {
  const waitFor = { replicas: 1, ownFile: false };
  const open = () => openConnected(t, { url, waitFor, commandTimeoutMs: 2000 });
  return [await open(), await open(), await open()];
}

t.test('redis: sentinel: the master is cut off and dies: what was acknowledged is there', async (t) => {
  const behind = await startSentinels(t, { args: REPLICATION });
  const [master] = behind.servers;
  const stores = await storesOn(t, behind);
  const load = await Load.start(t, stores);
  await load.moreAcknowledged(50);
  await cutOff(master);
  await load.refused(/too few copies/);
  await master.kill();
  const next = await behind.successorOf(master);
  await Promise.all(stores.map(reachable));
  await load.moreAcknowledged(50);

  // It takes itself for the master until the sentinels tell it otherwise.
  await master.start();
  await replicates(master);
  await load.moreAcknowledged(50);
  await load.isAllThere(t);
  const scripts = async (server: { url: string }) =>
    /cmdstat_eval/.test(await clientOf(t, server.url).info('commandstats'));
  t.same([await scripts(master), await scripts(next)], [false, true], 'the old master is not used');
});

t.test('redis: sentinel: a master that hangs is left, and not used when it goes on', async (t) => {
  const behind = await startSentinels(t);
  const [master] = behind.servers;
  const stores = await storesOn(t, behind);
  const load = await Load.start(t, stores);
  await load.moreAcknowledged(50);
  master.freeze();
  await behind.successorOf(master);
  await Promise.all(stores.map(reachable));
  await load.moreAcknowledged(50);
  master.thaw();
  await replicates(master);
  await load.moreAcknowledged(50);
  await load.isAllThere(t);
});
