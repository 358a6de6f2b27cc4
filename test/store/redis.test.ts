import { Redis } from 'ioredis';
import t from 'tap';
import { redisUrl } from '../support/redis.js';
import { storeContract } from './contract.js';
import type { Raw } from './contract-damage.js';
import { holdsSubmission, openConnected } from './fixtures-redis.js';

const { url, prefix } = await redisUrl(t);
let opened = 0;

storeContract('redis', async (t) => {
  const keyPrefix = `${prefix}-${++opened}`;
  const store = await openConnected(t, { url, keyPrefix });
  return {
    store,
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
        record: (id) => client.hgetBuffer(key('avatar', id), 'doc'),
        overwrite: async (id, bytes) => {
          await client.hset(key('avatar', id), 'doc', bytes);
        },
        aside: (id) => client.hgetBuffer(key('corrupt', id), 'doc'),
      };
      const result = await work(raw);
      await client.quit();
      return result;
    },
  };
});
