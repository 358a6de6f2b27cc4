import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { canceled } from '../../src/domain/moves.js';
import { openRedisStore } from '../../src/store/redis/redis.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import { avatarOf, CALLER, claim, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, lossyWay, openConnected, reachable } from './fixtures-redis.js';

const FORGET = { now: 0, retentionMs: LONG };

/** Every call of the port that needs Redis. */
const calls = (store: Store): Promise<unknown>[] => [
  store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)),
  store.find(CALLER, 'av_1'),
  store.submission('av_1'),
  claim(store, null, 1, LONG),
  store.save(avatarOf(), 1, { dueInMs: 0, submission: 'keep' }),
  store.remove('av_1', 1),
  store.outlook([]),
  store.ping(),
];

t.test('redis: away at the start, it is said at once, and it comes up by itself', async (t) => {
  const server = await startRedis(t, { appendonly: true, args: ['--appendfsync', 'always'] });
  await server.stop();
  const events: string[] = [];
  const emitter = new EventEmitter();
  const store = openRedisStore({
    url: server.url,
    onEvent({ kind }) {
      events.push(kind);
      emitter.emit(kind);
    },
  });
  t.teardown(() => store.close());
  for (const call of calls(store)) await t.rejects(call, StoreUnavailableError);
  await once(emitter, 'lost');
  await server.start();
  await reachable(store);
  t.match(await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), { version: 1 });
  await server.kill();
  await t.rejects(store.ping(), StoreUnavailableError);
  await server.start();
  await reachable(store);
  t.same(events, ['lost', 'connected', 'lost', 'connected']);
});

t.test('redis: close ends, and ends twice, whether or not Redis is there', async (t) => {
  const server = await startRedis(t);
  await server.stop();
  const away = openRedisStore({ url: server.url });
  await Promise.all([away.close(), away.close()]);
  await t.rejects(away.ping(), StoreUnavailableError);

  await server.start();
  const lost = await openConnected(t, { url: server.url });
  await server.kill();
  await lost.close();
  await lost.close();
});

t.test('redis: what was created outlives kill -9, with an append-only file', async (t) => {
  const server = await startRedis(t, { appendonly: true, args: ['--appendfsync', 'always'] });
  const store = await openConnected(t, { url: server.url });
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  await store.save({ ...avatar, taskId: 'task-1' }, 1, { dueInMs: 0, submission: 'keep' });
  await server.kill();
  await server.start();
  await reachable(store);
  t.match(await claim(store, null, 1, LONG), [{ avatar: { id: avatar.id, taskId: 'task-1' }, version: 3 }]);
  t.same(await store.submission(avatar.id), SUBMISSION);
});

t.test('redis: a write whose reply was lost has the same result when it is sent again', async (t) => {
  const server = await startRedis(t);
  const way = await lossyWay(t, server.port);
  const store = await openConnected(t, { url: way.url, commandTimeoutMs: 60_000 });
  const other = await openConnected(t, { url: server.url });
  const lostThenAgain = async <T>(write: () => Promise<T>): Promise<T> => {
    way.loseReplies(true);
    const since = performance.now();
    await t.rejects(write(), StoreUnavailableError);
    t.ok(performance.now() - since < 10_000, 'it is known with the connection, not by the time-out');
    way.loseReplies(false);
    await reachable(store);
    return write();
  };

  const avatar = avatarOf();
  t.match(await lostThenAgain(() => store.admit(avatar, [SUBMISSION], dueIn(LONG))), { avatar, version: 1 });
  const save = (by: Store) => by.save(canceled(avatar, FORGET), 1, { dueInMs: 0, submission: 'drop' });
  t.same(await lostThenAgain(() => save(store)), { saved: true, version: 2 });
  t.same(await save(other), { saved: true, version: 2 }, 'the same save is done, whoever sends it');
  t.match(await other.find(CALLER, avatar.id), { version: 2 });
  t.match(await claim(other, null, 1, 0), [{ version: 3 }]);
  t.same(await save(store), { saved: false, reason: 'stale' });
});

t.test('redis: what another worker wrote meanwhile is not taken for a lost write', async (t) => {
  const server = await startRedis(t);
  const way = await lossyWay(t, server.port);
  const store = await openConnected(t, { url: way.url });
  const other = await openConnected(t, { url: server.url });
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  const save = (by: Store) => by.save(canceled(avatar, FORGET), 1, { dueInMs: 0, submission: 'keep' });
  await server.stop();
  await t.rejects(save(store), StoreUnavailableError, 'lost before it was done');
  await server.start();
  await Promise.all([reachable(store), reachable(other)]);
  await other.admit(avatar, [SUBMISSION], dueIn(LONG));
  t.match(await other.save({ ...avatar, polls: 1 }, 1, { dueInMs: 0, submission: 'keep' }), { saved: true });
  t.same(await save(store), { saved: false, reason: 'stale' });

  way.loseReplies(true);
  await t.rejects(store.save(avatar, 2, { dueInMs: 0, submission: 'keep' }), StoreUnavailableError);
  way.loseReplies(false);
  t.match(await claim(other, null, 1, LONG), [{ version: 4 }]);
  await reachable(store);
  const again = await store.save(avatar, 2, { dueInMs: 0, submission: 'keep' });
  t.same(again, { saved: false, reason: 'stale' }, 'done, and claimed since');
});

t.test('redis: a Redis that hangs is given up in time; what it does later is known again', async (t) => {
  const server = await startRedis(t);
  const store = await openConnected(t, { url: server.url, commandTimeoutMs: 200 });
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  const save = () => store.save(canceled(avatar, FORGET), 1, { dueInMs: LONG, submission: 'keep' });
  await clientOf(t, server.url).call('CLIENT', 'PAUSE', '500', 'ALL');
  const since = performance.now();
  await t.rejects(save(), StoreUnavailableError);
  t.ok(performance.now() - since < 450);
  await reachable(store);
  t.same(await save(), { saved: true, version: 2 });
});
