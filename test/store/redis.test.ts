import { Redis } from 'ioredis';
import t from 'tap';
import { redisUrl } from '../support/redis.js';
import { storeContract } from './contract.js';
import type { Raw } from './contract-damage.js';
import { documentAt, holdsSubmission, openConnected, overwriteDocument } from './fixtures-redis.js';

const { url, prefix } = await redisUrl(t);
const isPrivate = (process.env.REDIS_URL ?? '') === '';
let opened = 0;

/** How many commands Redis did, those of scripts among them. */
async function commandsOf(work: () => Promise<unknown>): Promise<number> {
  const client = new Redis(url);
  await client.call('CONFIG', 'RESETSTAT');
  await work();
  const stats = await client.info('commandstats');
  await client.quit();
  return [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

storeContract('redis', async (t) => {
  const keyPrefix = `${prefix}-${++opened}`;
  const store = await openConnected(t, { url, keyPrefix });
  return {
    store,
    peer: () => openConnected(t, { url, keyPrefix }),
    // A Redis of others counts theirs as well.
    ...(isPrivate ? { commands: (work: () => Promise<unknown>) => commandsOf(work) } : {}),
    async submissions() {
      const client = new Redis(url);
      const keys = await client.keys(`{${keyPrefix}}:*`);
      await client.quit();
      return keys.filter(holdsSubmission);
    },
    async raw(work) {
      const client = new Redis(url);
      const key = (kind: string, id: string) => `{${keyPrefix}}:${kind}:${id}`;
      const raw: Raw = {
        record: (id) => documentAt(client, key('avatar', id)),
        overwrite: (id, bytes) => overwriteDocument(client, key('avatar', id), bytes),
        quarantined: (id) => documentAt(client, key('corrupt', id)),
      };
      const result = await work(raw);
      await client.quit();
      return result;
    },
  };
});
