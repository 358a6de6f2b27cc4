import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { openRedisStore, type RedisEvent, type RedisStoreOptions } from '../../src/store/redis/redis.js';
import { StoreUnavailableError } from '../../src/store/store.js';
import { startRedis, type Teardown } from '../support/redis.js';
import { avatarOf, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf } from './fixtures-redis.js';

const DURABLE = { appendonly: true, args: ['--appendfsync', 'always'] };

/** A store, and its events as they come. */
function watch(t: Teardown, options: RedisStoreOptions) {
  const events: RedisEvent[] = [];
  const emitter = new EventEmitter();
  const store = openRedisStore({
    ...options,
    onEvent(event) {
      events.push(event);
      emitter.emit(event.kind, event);
    },
  });
  t.teardown(() => store.close());
  const next = async (kind: RedisEvent['kind']) => {
    const [event] = (await once(emitter, kind)) as [RedisEvent];
    return event;
  };
  return { store, events, next };
}

t.test('redis: case 26: an evicting policy and a missing append-only file are said aloud', async (t) => {
  const server = await startRedis(t, { args: ['--maxmemory-policy', 'allkeys-lru'] });
  const { store, next } = watch(t, { url: server.url });
  const hazards = next('hazards');
  const connected = next('connected');
  t.match(await hazards, {
    hazards: [/maxmemory-policy is allkeys-lru.*noeviction/, /append-only file is off/],
  });
  await connected;
  await t.resolves(store.ping(), 'and it is used all the same');
});

t.test('redis: case 26: strict does not use such a Redis, and uses it once it is mended', async (t) => {
  const server = await startRedis(t, { appendonly: true, args: ['--maxmemory-policy', 'volatile-ttl'] });
  const { store, next } = watch(t, { url: server.url, durability: 'strict' });
  await next('hazards');
  await t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), StoreUnavailableError);
  const connected = next('connected');
  await clientOf(t, server.url).config('SET', 'maxmemory-policy', 'noeviction');
  await connected;
  await t.resolves(store.ping());
});

t.test('redis: a durable Redis draws no warning', async (t) => {
  const server = await startRedis(t, DURABLE);
  const { events, next } = watch(t, { url: server.url, durability: 'strict' });
  await next('connected');
  t.same(events, [{ kind: 'connected' }]);
});

t.test('redis: case 22: restarted empty, it says so before it is used again', async (t) => {
  const server = await startRedis(t);
  const { store, events, next } = watch(t, { url: server.url });
  await next('connected');
  await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  const back = next('connected');
  await server.kill();
  await server.start();
  await back;
  const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== 'hazards');
  t.same(kinds, ['connected', 'lost', 'emptied', 'connected']);
});

t.test('redis: restarted with what it had, nothing is said', async (t) => {
  const server = await startRedis(t, DURABLE);
  const { events, next } = watch(t, { url: server.url });
  await next('connected');
  const back = next('connected');
  await server.kill();
  await server.start();
  await back;
  t.notOk(events.some(({ kind }) => kind === 'emptied'));
});

t.test('redis: WAIT: with fewer replicas than asked for a write does not count', async (t) => {
  const args = [...DURABLE.args, '--repl-diskless-sync-delay', '0'];
  const server = await startRedis(t, { ...DURABLE, args });
  const waitFor = { replicas: 1, ownFile: false };
  const { store, next } = watch(t, { url: server.url, waitFor, commandTimeoutMs: 2_000 });
  await next('connected');
  await t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), { message: /too few copies/ });

  await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(server.port)] });
  const client = clientOf(t, server.url);
  await client.set('anything', '');
  t.equal(await client.wait(1, 4_000), 1, 'the replica is in step');
  await t.resolves(store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)));
});

t.test('redis: WAITAOF on a Redis that has none: a write does not count', async (t) => {
  const server = await startRedis(t, DURABLE);
  const { store, next } = watch(t, { url: server.url, waitFor: { replicas: 0, ownFile: true } });
  await next('connected');
  const info = await clientOf(t, server.url).info('server');
  const version = /redis_version:(\d+\.\d+)/.exec(info)?.[1];
  const made = store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  if (Number(version) >= 7.2) await t.resolves(made);
  else await t.rejects(made, StoreUnavailableError);
});
