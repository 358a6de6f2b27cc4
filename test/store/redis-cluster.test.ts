/** The store on a Redis Cluster of three masters. What happens when one of them goes is in redis-cluster-failover.test.ts. */

import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import t from 'tap';
import { startCluster } from '../support/redis-cluster.js';
import { storeContract } from './contract.js';
import type { Raw } from './contract-damage.js';
import { openConnected } from './fixtures-redis.js';

t.setTimeout(300_000);

const cluster = await startCluster(t);
let opened = 0;

storeContract('redis: cluster', async (t) => {
  const holder = cluster.nodes[opened++ % cluster.nodes.length];
  if (holder === undefined) throw new Error('the cluster has no nodes');
  const keyPrefix = await cluster.tagOf(holder, randomUUID());
  const store = await openConnected(t, { url: cluster.url, keyPrefix });
  return { store, raw: (work) => atRest(holder.port, keyPrefix, work) };
});

async function atRest<T>(port: number, prefix: string, work: (raw: Raw) => Promise<T>): Promise<T> {
  const client = new Redis(port);
  const key = (kind: string, id: string) => `{${prefix}}:${kind}:${id}`;
  const result = await work({
    record: (id) => client.hgetBuffer(key('avatar', id), 'doc'),
    overwrite: async (id, bytes) => {
      await client.hset(key('avatar', id), 'doc', bytes);
    },
    aside: (id) => client.hgetBuffer(key('corrupt', id), 'doc'),
  });
  await client.quit();
  return result;
}
