import t from 'tap';
import { startRedis } from '../support/redis.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, openConnected } from './fixtures-redis.js';

t.test('redis: WAIT: while replicas are missing, what reads waits for one write at most', async (t) => {
  const { url } = await startRedis(t);
  const waitFor = { replicas: 1, ownFile: false };
  const store = await openConnected(t, { url, waitFor, commandTimeoutMs: 1000 });
  const client = clientOf(t, url);
  await client.config('RESETSTAT');
  const writes = Array.from({ length: 20 }, () =>
    t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), { message: /too few copies/ }),
  );
  for (let waiting = false; !waiting; ) waiting = / cmd=wait /.test(String(await client.client('LIST')));
  t.equal(await store.find(CALLER, 'av_unknown'), null);
  await Promise.all(writes);
  const stats = await client.info('commandstats');
  t.ok(Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1]) < 5, 'they asked together');
});

t.test('redis: WAIT: a connection that ends leaves open what was copied', async (t) => {
  const { url } = await startRedis(t);
  const store = await openConnected(t, { url, waitFor: { replicas: 1, ownFile: false } });
  const client = clientOf(t, url);
  const writes = Array.from({ length: 3 }, () =>
    t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), { message: /cannot be reached/ }),
  );
  for (let waiting = false; !waiting; ) waiting = / cmd=wait /.test(String(await client.client('LIST')));
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal');
  await Promise.all(writes);
});
