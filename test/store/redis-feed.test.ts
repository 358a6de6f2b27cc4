import t, { type Test } from 'tap';
import { EVERYONE } from '../../src/domain/caller.js';
import { FEED_MS } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import { avatarOf, CALLER, dueIn, EVERYTHING, idsOf, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, lossyWay, openConnected, overwriteDocument, reachable } from './fixtures-redis.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;
const EVERYONES = '{avatar-gateway}:feed';
const FEED = `${EVERYONES}:${CALLER}`;
const LIST = `{avatar-gateway}:list:${CALLER}`;
const key = (id: string) => `{avatar-gateway}:avatar:${id}`;

async function open(t: Test) {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  const store = await openConnected(t, { url: server.url });
  const create = async (id: string, by = store) =>
    (await by.admit(avatarOf({ id }), [SUBMISSION], dueIn(LONG))).avatar;
  const micros = async () => {
    const [seconds, rest] = await client.time();
    return Number(seconds) * 1e6 + Number(rest);
  };
  return { server, client, store, create, micros };
}

t.test('redis: a feed is gone on with at another store', async (t) => {
  const { server, store, create } = await open(t);
  const other = await openConnected(t, { url: server.url });
  const { last } = await store.feed(CALLER, null, 9);
  await create('av_1');
  await create('av_2', other);
  const [first] = (await store.feed(CALLER, last, 1)).changed;
  t.equal(first?.avatar.id, 'av_1');
  await create('av_3');
  const { changed, whole } = await other.feed(CALLER, first?.at ?? 0, 9);
  t.same({ changed: idsOf(changed), whole }, { changed: ['av_2', 'av_3'], whole: true });
});

t.test('redis: places grow although the clock went back, and are those of the clock otherwise', async (t) => {
  const { client, store, create, micros } = await open(t);
  const before = await micros();
  await create('av_1');
  const { last } = await store.feed(CALLER, null, 9);
  t.ok(before < last && last < (await micros()));
  const ahead = last + FEED_MS * 500;
  for (const feed of [FEED, EVERYONES]) await client.zadd(feed, ahead, 'av_1', -ahead, '!last');
  await create('av_2');
  const { changed, ...rest } = await store.feed(CALLER, ahead, 9);
  t.same(
    changed.map(({ avatar, at }) => [avatar.id, at]),
    [['av_2', ahead + 1]],
  );
  t.same(rest, { last: ahead + 1, whole: true });
  await store.remove('av_2', 1);
  await store.remove('av_1', 1);
  await create('av_3');
  t.equal((await store.feed(CALLER, null, 9)).last, ahead + 2, 'although nothing was left');
});

t.test('redis: changes older than a day are forgotten with the next, and that is said', async (t) => {
  const { client, store, create, micros } = await open(t);
  for (const id of ['av_1', 'av_2', 'av_3']) await create(id);
  const dayAgo = (await micros()) - FEED_MS * 1000;
  const [old, older, kept] = [dayAgo - 1_000_000, dayAgo - 2_000_000, dayAgo + 60_000_000];
  await client.zadd(FEED, older, 'av_1', old, 'av_2', kept, 'av_3', -kept, '!last');
  t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), ['av_1', 'av_2', 'av_3']);
  t.equal((await store.feed(CALLER, 0, 9)).whole, true, 'while nothing is forgotten');

  await store.save(avatarOf({ id: 'av_1' }), 1, { ...KEEP, silent: true });
  t.equal((await store.feed(CALLER, 0, 9)).changed.length, 3, 'a silent save is no change');
  await create('av_4');
  for (const [after, whole] of [
    [0, false],
    [older, false],
    [old, true],
    [kept, true],
  ] as const) {
    t.equal((await store.feed(CALLER, after, 9)).whole, whole);
  }
  t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), ['av_3', 'av_4']);
  t.equal((await store.feed(CALLER, null, 9)).whole, true);
});

t.test('redis: who knows a place that Redis lost is told so', async (t) => {
  const { client, store, create } = await open(t);
  await create('av_1');
  const { last } = await store.feed(CALLER, null, 9);
  await client.flushall();
  t.same(await store.feed(CALLER, last, 9), { changed: [], last: 0, whole: false });
});

t.test('redis: a write that is sent again is one change', async (t) => {
  const { server, store, create } = await open(t);
  const way = await lossyWay(t, server.port);
  const unlucky = await openConnected(t, { url: way.url });
  const avatar = await create('av_1');
  way.loseReplies(true);
  await t.rejects(unlucky.save(avatar, 1, KEEP));
  way.loseReplies(false);
  await reachable(unlucky);
  const { last } = await store.feed(CALLER, null, 9);
  t.same(await unlucky.save(avatar, 1, KEEP), { saved: true, version: 2 });
  t.equal((await store.feed(CALLER, null, 9)).last, last);
});

t.test('redis: an entry that leads nowhere is taken out by whoever comes across it', async (t) => {
  const { client, store, create } = await open(t);
  for (const id of ['av_1', 'av_2', 'av_3', 'av_4']) await create(id);
  await client.del(key('av_1'));
  await overwriteDocument(client, key('av_2'), 'rubbish');
  t.same(idsOf((await store.list(CALLER, EVERYTHING)).found), ['av_4', 'av_3']);
  t.equal(await client.zcard(LIST), 2);
  t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), ['av_3', 'av_4']);
  t.same(await client.zrange(FEED, '0', '-1'), ['!last', 'av_3', 'av_4']);
  t.same(store.health(), { corruptRecords: 1 });
});

t.test('redis: whose an avatar is, is what its record says', async (t) => {
  const { client, store, create } = await open(t);
  await create('av_1');
  await store.admit(avatarOf({ id: 'av_2', caller: 'team-b' }), [SUBMISSION], dueIn(LONG));
  const [name = ''] = await client.zrange(LIST, '0', '0');
  await client.zadd(LIST, 0, name.replace('av_1', 'av_2'));
  await client.zadd(FEED, 1, 'av_2');
  t.same(idsOf((await store.list(CALLER, EVERYTHING)).found), ['av_1']);
  t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), ['av_1']);
});

t.test('redis: a full Redis lists what is there', async (t) => {
  const { client, store, create } = await open(t);
  for (const id of ['av_1', 'av_2']) await create(id);
  await client.del(key('av_1'));
  await client.config('SET', 'maxmemory', '1mb');
  const { last } = await store.feed(CALLER, null, 9);
  await t.rejects(create('av_3'), { message: 'Redis refused (OOM)' });
  t.equal((await store.feed(CALLER, null, 9)).last, last, 'nothing is half made');
  t.same(idsOf((await store.list(CALLER, { ...EVERYTHING, statuses: ['queued'] })).found), ['av_2']);
  t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), ['av_2']);
});

t.test(
  'redis: places grow over all callers although the clock went back, and a caller sees its own',
  async (t) => {
    const { client, store, create } = await open(t);
    await create('av_1');
    const { last } = await store.feed(CALLER, null, 9);
    const ahead = last + FEED_MS * 500;
    await client.zadd(EVERYONES, -ahead, '!last');
    await create('av_2');
    t.equal((await store.feed(CALLER, null, 9)).last, ahead + 1);
    await store.admit(avatarOf({ id: 'av_3', caller: 'team-b' }), [SUBMISSION], dueIn(LONG));
    t.equal((await store.feed('team-b', null, 9)).last, ahead + 2);
    t.equal((await store.feed(CALLER, null, 9)).last, ahead + 1);
    t.same(idsOf((await store.feed(EVERYONE, ahead, 9)).changed), ['av_2', 'av_3']);
  },
);

t.test('redis: who comes back too late to the feed of everyone is told so', async (t) => {
  const { client, store, create, micros } = await open(t);
  await create('av_1');
  await store.admit(avatarOf({ id: 'av_2', caller: 'team-b' }), [SUBMISSION], dueIn(LONG));
  const dayAgo = (await micros()) - FEED_MS * 1000;
  for (const feed of [FEED, EVERYONES]) await client.zadd(feed, dayAgo - 1_000_000, 'av_1');
  await create('av_3');
  const { changed, whole } = await store.feed(EVERYONE, dayAgo - 2_000_000, 1);
  t.same([idsOf(changed), whole], [['av_2'], false]);
  t.equal((await store.feed(EVERYONE, dayAgo + 60_000_000, 1)).whole, true);
});
