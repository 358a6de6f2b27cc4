/** The store behind Sentinels. What happens when the master goes is in redis-sentinel-failover.test.ts. */

import { EventEmitter, once } from 'node:events';
import t, { type Test } from 'tap';
import { beginSubmit } from '../../src/domain/moves.js';
import { openRedisStore, type RedisEvent } from '../../src/store/redis/redis.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import { freePort } from '../support/redis-process.js';
import { replicates } from '../support/redis-replication.js';
import { MASTER, startSentinels } from '../support/redis-sentinel.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER, claim, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, heardBy, openConnected } from './fixtures-redis.js';

t.setTimeout(600_000);

const SENTINEL_PASSWORD = 'sentinel-pa55word';
const behind = await startSentinels(t, { sentinelPassword: SENTINEL_PASSWORD });
const options = { url: behind.url, sentinelPassword: SENTINEL_PASSWORD };

/** Resolves with the first that is heard. */
function hears(t: Test, store: Store): Promise<string> {
  return new Promise((resolve) => t.teardown(store.onChange((change) => change && resolve(change.id))));
}

t.test('redis: sentinel: what one store does, another finds and hears of', async (t) => {
  const keyPrefix = 'contract';
  const [store, other] = [
    await openConnected(t, { ...options, keyPrefix }),
    await openConnected(t, { ...options, keyPrefix }),
  ];
  const heard = hears(t, other);
  await heardBy(clientOf(t, behind.servers[0].url), '{contract}:changes', 1);
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  t.equal(await heard, avatar.id);
  t.match(await claim(other, null, 1, LONG), [{ avatar, version: 2 }]);
  t.same(await claim(store, null, 1, LONG), []);
  const save = { dueInMs: LONG, submission: 'keep' } as const;
  t.same(await store.save(beginSubmit(avatar, 'key-1', 'intent-1'), 1, save), {
    saved: false,
    reason: 'stale',
  });
  t.same(await other.save(beginSubmit(avatar, 'key-1', 'intent-1'), 2, save), { saved: true, version: 3 });
  t.match(await store.find(CALLER, avatar.id), { avatar: { status: 'submitting' }, version: 3 });
  t.same(await store.submission(avatar.id), SUBMISSION);
});

t.test(
  'redis: sentinel: without the password of the sentinels nothing is used, and none is shown',
  async (t) => {
    for (const sentinelPassword of [undefined, 'wrong-pa55word']) {
      const emitter = new EventEmitter();
      const store = openRedisStore({
        ...options,
        sentinelPassword,
        onEvent: (event) => emitter.emit(event.kind, event),
      });
      t.teardown(() => store.close());
      const [lost] = (await once(emitter, 'lost')) as [RedisEvent];
      t.match(lost, { kind: 'lost', error: { message: /^Redis refused \((NOAUTH|WRONGPASS)\)$/ } });
      await t.rejects(store.ping(), StoreUnavailableError);
      await store.close();
    }
  },
);

t.test('redis: sentinel: one of them is enough to find the master', async (t) => {
  const [one, two] = behind.sentinels;
  await one?.kill();
  two?.freeze();
  const nobody = await freePort();
  const url = behind.url.replace('//', `//127.0.0.1:${nobody},`);
  await openConnected(t, { ...options, url, keyPrefix: 'one-left' });
  two?.thaw();
  await one?.start();
});

t.test('redis: sentinel: one that was cut off with an old master is not believed', async (t) => {
  const old = await startSentinels(t, { sentinels: 1, replicas: 0 });
  const lines = [`sentinel config-epoch ${MASTER} 7`, 'sentinel current-epoch 7'];
  const present = await startSentinels(t, { sentinels: 1, replicas: 0, lines });
  const [stale, latest] = [old, present].map(({ sentinels }) => `127.0.0.1:${sentinels[0]?.port}`);
  for (const hosts of [`${stale},${latest}`, `${latest},${stale}`]) {
    const store = await openConnected(t, { url: `redis+sentinel://${hosts}/${MASTER}` });
    const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const key = `{avatar-gateway}:avatar:${avatar.id}`;
    t.equal(await present.command(present.servers[0], 'EXISTS', key), 1);
    t.equal(await old.command(old.servers[0], 'EXISTS', key), 0);
  }
});

t.test('redis: sentinel: a master that never hears that it was replaced is left all the same', async (t) => {
  const { url, servers, sentinels, sentinel } = await startSentinels(t, { sentinels: 1, replicas: 0 });
  const [old, next] = [servers[0], await startRedis(t, { args: ['--repl-diskless-sync-delay', '0'] })];
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(next.port)] });
  await replicates(replica);
  const waitFor = { replicas: 1, ownFile: false };
  const store = await openConnected(t, { url, waitFor, commandTimeoutMs: 1000 });
  t.teardown(store.onChange(() => {}));
  await heardBy(clientOf(t, old.url), '{avatar-gateway}:changes', 1);
  for (const each of sentinels) {
    await sentinel(each, 'SENTINEL', 'REMOVE', MASTER);
    await sentinel(each, 'SENTINEL', 'MONITOR', MASTER, '127.0.0.1', next.port, 1);
  }
  await t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), { message: /too few copies/ });
  const client = clientOf(t, next.url);
  await until('it is at the new one', async () => {
    await store.ping().catch(() => {});
    return (await client.exists('{avatar-gateway}:ping')) || null;
  });
  await heardBy(client, '{avatar-gateway}:changes', 1);
  const heard = hears(t, store);
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  t.equal(await client.exists(`{avatar-gateway}:avatar:${avatar.id}`), 1);
  t.equal(await heard, avatar.id, 'and what happens at the new one is heard');
});
