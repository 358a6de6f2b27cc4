import { EventEmitter, once } from 'node:events';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { accepted, canceled } from '../../src/domain/moves.js';
import { CorruptRecordError } from '../../src/store/record.js';
import { openRedisStore } from '../../src/store/redis/redis.js';
import { PIECE_BYTES } from '../../src/store/redis/submissions.js';
import { type RedisServerOptions, startRedis } from '../support/redis.js';
import { avatarOf, beginFirst, beginNext, CALLER, claim, dueIn, KEY, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, openConnected } from './fixtures-redis.js';

async function open(t: Test, options: RedisServerOptions = {}) {
  const server = await startRedis(t, options);
  const client = clientOf(t, server.url);
  return { server, client, store: await openConnected(t, { url: server.url }) };
}

const DROP = { dueInMs: LONG, submission: 'drop' } as const;
const FORGET = { now: 0, retentionMs: LONG };
const refused = (code: string) => ({ name: 'StoreUnavailableError', message: `Redis refused (${code})` });

t.test('redis: nobody notices that the scripts were flushed', async (t) => {
  const { client, store } = await open(t);
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  for (let i = 0; i < 2; i++) {
    await claim(store, null, 1, 0);
    await client.script('FLUSH');
  }
  const [claimed, found] = await Promise.all([claim(store, null, 1, LONG), store.find(CALLER, avatar.id)]);
  t.match(claimed, [{ version: 4 }]);
  t.ok(found);
});

t.test('redis: [A4] a full Redis refuses new avatars alone, and gets out of it', async (t) => {
  const { server, client, store } = await open(t);
  const idempotency = { key: 'key-1', fingerprint: 'f' };
  const { avatar } = await store.admit(avatarOf({ idempotency }), [Buffer.alloc(PIECE_BYTES)], dueIn(LONG));
  await store.admit(avatarOf({ id: 'av_2' }), [SUBMISSION], dueIn(0));
  await client.config('SET', 'maxmemory', '1mb');
  const half = avatarOf();
  for (const bytes of [18, 3 * PIECE_BYTES]) {
    await t.rejects(store.admit(half, [Buffer.alloc(bytes)], dueIn(0)), refused('OOM'));
  }
  t.equal((await store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(0))).outcome, 'known');

  const other = await openConnected(t, { url: server.url });
  for (const each of [store, other]) await t.resolves(each.ping(), 'it can be worked with');
  t.match(await claim(store, null, 1, LONG), [{ avatar: { id: 'av_2' } }]);
  const [begun] = await beginFirst(store, 1);
  t.match(begun, { avatar: { id: avatar.id, status: 'submitting' } });
  const pending = accepted(begun?.avatar ?? avatar, 'task-1', 0);
  t.match(await store.save(pending, 2, { dueInMs: 0, submission: 'drop' }), { saved: true });
  t.equal(await store.submission(avatar.id), null);
  t.match(await claim(store, KEY, 1, LONG), [{ version: 4 }]);
  t.match(await store.swap('limits', 0, 'learned'), { swapped: true });
  t.match(await store.count?.(new Map([['caller', 1]]), LONG), new Map([['caller', { count: 1 }]]));
  t.match(await store.save(canceled(avatarOf({ id: 'av_2' }), FORGET), 2, DROP), { saved: true });
  t.equal(await store.remove('av_2', 3), true);
  t.equal(await store.remove(avatar.id, 4), true);
  await client.config('SET', 'maxmemory', '0');
  t.same([await store.find(CALLER, half.id), await store.submission(half.id)], [null, null]);
  t.match(await store.outlook([]), { queued: 0, queuedBytes: 0, dueInMs: null });
});

t.test('redis: a replica is read and not written', async (t) => {
  const { server, store } = await open(t);
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  const replica = clientOf(t, server.url);
  await replica.call('REPLICAOF', '127.0.0.1', '1');
  t.match(await store.find(CALLER, avatar.id), { version: 1 });
  await t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(0)), refused('READONLY'));
  await t.rejects(claim(store, null, 1, LONG), refused('READONLY'));
  await t.rejects(store.ping(), refused('READONLY'));
});

t.test('redis: a Redis busy with a script, and one that cannot save, are unavailable', async (t) => {
  const { server, client, store } = await open(t, { args: ['--lua-time-limit', '5'] });
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  const busy = clientOf(t, server.url).eval('while true do end', 0);
  busy.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  await t.rejects(store.find(CALLER, avatar.id), refused('BUSY'));
  await client.script('KILL');
  await t.rejects(busy);
  t.ok(await store.find(CALLER, avatar.id));

  await client.config('SET', 'min-replicas-to-write', '1');
  await t.rejects(store.ping(), refused('NOREPLICAS'));
});

t.test("redis: what is due goes by Redis's clock, not by the process's", async (t) => {
  const { client, store } = await open(t);
  const { avatar, now } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  const [seconds] = await client.time();
  t.ok(Math.abs(now - Number(seconds) * 1000) < 5000);

  const realNow = Date.now;
  t.teardown(() => Object.assign(Date, { now: realNow }));
  Object.assign(Date, { now: () => realNow() + 2 * LONG });
  t.same(await claim(store, null, 1, LONG), [], 'an hour ahead, nothing is due sooner');
  const other = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  t.ok(other.now - now < 60_000);
  Object.assign(Date, { now: () => realNow() - 2 * LONG });
  t.match(
    await claim(store, null, 9, LONG),
    [{ avatar: { id: other.avatar.id } }],
    'an hour behind, nothing later',
  );
  t.match(await store.find(CALLER, avatar.id), { version: 1 });
});

t.test('redis: no error and no event names the password, the host, or what was sent', async (t) => {
  const server = await startRedis(t, { args: ['--requirepass', 'right-password'] });
  const said: unknown[] = [];
  const lost = new EventEmitter();
  const wrong = openRedisStore({
    url: `redis://:wrong-password@127.0.0.1:${server.port}`,
    onEvent(event) {
      said.push(event.kind, event.kind === 'lost' ? event.error : event);
      lost.emit(event.kind);
    },
  });
  t.teardown(() => wrong.close());
  await once(lost, 'lost');
  said.push(await wrong.ping().catch((error: unknown) => error));
  t.match(said, ['lost', refused('WRONGPASS'), refused('WRONGPASS')]);

  const right = await openConnected(t, { url: `redis://:right-password@127.0.0.1:${server.port}` });
  await clientOf(t, `redis://:right-password@127.0.0.1:${server.port}`).config('SET', 'maxmemory', '1');
  said.push(
    await right.admit(avatarOf(), [Buffer.from('secret words')], dueIn(0)).catch((error: unknown) => error),
  );
  t.throws(() => openRedisStore({ url: 'redis://:wrong-password@[::' }), { name: 'TypeError' });
  t.notMatch(inspect(said, { depth: 9, showHidden: true }), /password|127\.0\.0\.1|secret/);
});

t.test('redis: a key of the wrong kind in place of a record is quarantined', async (t) => {
  const { client, store } = await open(t);
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  const key = `{avatar-gateway}:avatar:${avatar.id}`;
  await client.set(key, 'not a hash');
  t.same(await claim(store, null, 9, LONG), []);
  t.same(store.health(), { corruptRecords: 1 });
  t.equal(await client.get(`{avatar-gateway}:corrupt:${avatar.id}`), 'not a hash');
  t.equal((await store.outlook([])).dueInMs, null);
});

t.test('redis: every key has the one hash tag', async (t) => {
  const { client, store } = await open(t);
  const idempotency = { key: 'key-1', fingerprint: 'f' };
  await store.admit(avatarOf({ externalId: 'order-1', idempotency }), [SUBMISSION], dueIn(LONG));
  const { avatar, version } = await beginNext(store);
  await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  await store.save(accepted(avatar, 'task-1', 0), version, { dueInMs: LONG, submission: 'keep' });
  await store.count?.(new Map([['caller', 1]]), LONG);
  await store.swap('limits', 0, 'learned');
  const keys = await client.keys('*');
  t.equal(keys.length, 27, String(keys));
  for (const key of keys) t.match(key, /^\{avatar-gateway\}:./);
});

t.test('redis: a key whose record was lost is said to be corrupt, and is not used again', async (t) => {
  const { client, store } = await open(t);
  const idempotency = { key: 'key-1', fingerprint: 'f' };
  const { avatar } = await store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(0));
  await client.del(`{avatar-gateway}:avatar:${avatar.id}`);
  await t.rejects(store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(0)), CorruptRecordError);
});

t.test('redis: two processes that claim at once never share an avatar', async (t) => {
  const { server, store } = await open(t);
  const other = await openConnected(t, { url: server.url });
  const ids: string[] = [];
  for (let i = 0; i < 50; i++) ids.push((await store.admit(avatarOf(), [SUBMISSION], dueIn(0))).avatar.id);
  const claimed: string[] = [];
  while (claimed.length < ids.length) {
    const both = await Promise.all([claim(store, null, 7, LONG), claim(other, null, 7, LONG)]);
    if (both.flat().length === 0) break;
    claimed.push(...both.flat().map(({ avatar }) => avatar.id));
  }
  t.same(claimed.sort(), ids.sort());
});
