import t, { type Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, canceled, requeued } from '../../src/domain/moves.js';
import { idWord } from '../../src/store/redis/ids.js';
import type { Save } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import {
  avatarOf,
  beginFirst,
  beginNext,
  CALLER,
  claim,
  dueIn,
  idsOf,
  KEY,
  LONG,
  SUBMISSION,
} from './fixtures.js';
import { clientOf, lossyWay, openConnected, overwriteDocument, reachable } from './fixtures-redis.js';

const KEEP: Save = { dueInMs: LONG, submission: 'keep' };
const DROP: Save = { dueInMs: LONG, submission: 'drop' };
const FORGET = { now: 0, retentionMs: LONG };
const key = (name: string) => `{avatar-gateway}:${name}`;

async function open(t: Test) {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  const store = await openConnected(t, { url: server.url });
  const admit = async (change: Partial<Avatar> = {}) =>
    (await store.admit(avatarOf(change), [SUBMISSION], dueIn(LONG))).avatar;
  const ofKey = async () => (await store.outlook([KEY])).keys.get(KEY);
  return { server, client, store, admit, ofKey };
}

t.test('redis: what was never told to be admitted is kept from being begun for a while', async (t) => {
  const { server, store } = await open(t);
  const way = await lossyWay(t, server.port);
  const unlucky = await openConnected(t, { url: way.url });
  const lose = async (change: Partial<Avatar>, doubtMs: number) => {
    const avatar = avatarOf(change);
    way.loseReplies(true);
    await t.rejects(unlucky.admit(avatar, [SUBMISSION], dueIn(LONG, { doubtMs })));
    way.loseReplies(false);
    await reachable(unlucky);
    return avatar;
  };
  const doubted = await lose({}, LONG);
  const keyed = await lose({ idempotency: { key: 'k', fingerprint: 'f' } }, LONG);
  const told = (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, { doubtMs: LONG }))).avatar;
  const over = await lose({}, 0);
  t.match(await store.find(CALLER, doubted.id), { ahead: 0 }, 'it is there for its creator');
  t.same(idsOf(await beginFirst(store, 9)), idsOf([keyed, told, over]));
  await unlucky.admit(doubted, [SUBMISSION], dueIn(LONG, { doubtMs: LONG }));
  t.same(idsOf(await beginFirst(unlucky, 1)), [doubted.id], 'told after all');
});

t.test('redis: the first in the queue is had although many in front are in doubt', async (t) => {
  const { client, store, admit } = await open(t);
  for (let i = 0; i < 250; i++) {
    const { id } = await admit();
    await store.outlook([]); // Behind the word that it was told.
    await client.zadd(key('queue-doubt'), Date.now() + LONG, idWord(id));
  }
  const avatar = await admit();
  t.same(idsOf(await beginFirst(store, 1)), [avatar.id]);
});

t.test('redis: a record that cannot be read does not keep others from being begun', async (t) => {
  const { client, store, admit } = await open(t);
  const [corrupt, newer, gone, good] = [await admit(), await admit(), await admit(), await admit()];
  await overwriteDocument(client, key(`avatar:${corrupt.id}`), 'rubbish');
  await overwriteDocument(client, key(`avatar:${newer.id}`), '9 {}');
  await client.del(key(`avatar:${gone.id}`));
  t.same(idsOf(await beginFirst(store, 1)), [good.id]);
  t.same(store.health(), { corruptRecords: 1 });
  t.match(await store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length }, 'the newer one alone');
});

t.test('redis: the slot of a record that was lost is free again', async (t) => {
  const { client, store, admit, ofKey } = await open(t);
  const corrupt = await admit();
  await beginNext(store);
  await client.zadd(key('due'), 1, corrupt.id);
  await overwriteDocument(client, key(`avatar:${corrupt.id}`), 'rubbish');
  t.match(await ofKey(), { slots: 1 });
  t.same(await claim(store, null, 9), []);
  t.match(await ofKey(), { slots: 0 }, 'although nothing was ever due with that key');

  await admit();
  const { avatar: gone, version } = await beginNext(store);
  await store.save(accepted(gone, 'task-1', 0), version, { dueInMs: 0, submission: 'drop' });
  t.match(await ofKey(), { slots: 1 });
  await client.del(key(`avatar:${gone.id}`));
  t.same(await claim(store, KEY, 9), []);
  t.match(await store.outlook([KEY]), { dueInMs: null, queued: 0 });
  t.same(await ofKey(), { slots: 0, due: 0, dueInMs: null });
  t.same(store.health(), { corruptRecords: 1 });
});

t.test('redis: bytes are counted as they come and go, whatever the order', async (t) => {
  const { store, admit } = await open(t);
  const avatar = await admit();
  await store.save({ ...avatar, polls: 1 }, 1, KEEP);
  t.match(await store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
  await store.save({ ...avatar, polls: 2 }, 2, DROP);
  t.match(await store.outlook([]), { queued: 1, queuedBytes: 0 });
  t.equal((await beginNext(store)).version, 4);
  t.match(await store.outlook([]), { queued: 0, queuedBytes: 0 });
});

t.test('redis: callers whom the clock passed are forgotten', async (t) => {
  const { client, store, admit } = await open(t);
  for (const caller of ['a', 'b', 'c', 'a', 'a']) {
    await admit({ caller });
    await beginNext(store);
  }
  t.same(await client.zrange(key('queue-served'), '0', '-1', 'WITHSCORES'), ['a', '3']);
  t.equal(await client.get(key('queue-clock')), '3');
});

t.test('redis: [B12] keys that nothing is due with are forgotten', async (t) => {
  const { client, store, admit } = await open(t);
  await admit();
  const { avatar, version } = await beginNext(store);
  const pending = accepted(avatar, 'task-1', 0);
  await store.save(pending, version, DROP);
  t.same(await store.keyIds(), [KEY]);
  t.ok((await client.pttl(key(`rate:${KEY}`))) > 0, 'what is known of its calls goes by itself');
  await store.save(requeued({ ...pending, status: 'submitting' }), version + 1, KEEP);
  t.same(await store.keyIds(), []);
});

t.test('redis: [B12] a feed of many days is trimmed a little with each admission', async (t) => {
  const { client, store, admit } = await open(t);
  const old: (string | number)[] = [];
  for (let i = 0; i < 1000; i++) old.push(i + 1, `av_${i}`);
  for (const feed of [key('feed'), key(`feed:${CALLER}`)]) await client.zadd(feed, ...old);
  await admit();
  t.equal(await client.zcount(key('feed'), 0, '+inf'), 901);
  t.equal(await client.zscore(key(`feed:${CALLER}`), '!forgotten'), '-100');
  while ((await client.zcount(key('feed'), 0, 1000)) > 0) await admit();
  t.equal((await store.feed(CALLER, 999, 9)).whole, false);
  t.equal((await store.feed(CALLER, 1000, 9)).whole, true);
});

t.test('redis: a removed avatar that was at Modellix leaves nothing', async (t) => {
  const { client, store } = await open(t);
  const idempotency = { key: 'k', fingerprint: 'f' };
  await store.admit(avatarOf({ idempotency, externalId: 'order-1' }), [SUBMISSION], dueIn(LONG));
  const { avatar, version } = await beginNext(store);
  await store.save(accepted(avatar, 'task-1', 0), version, DROP);
  t.equal(await store.remove(avatar.id, version + 1), true);
  const of = ['callers', 'feed', `feed:${CALLER}`, 'mark', 'queue-bytes'];
  const forAWhile = (await client.keys('*')).filter((name) => /:(rate|begun):/.test(name));
  for (const name of forAWhile) t.ok((await client.pttl(name)) > 0, name);
  const left = [...of, 'queue-clock', 'queue-served', 'slot-keys'].map(key);
  t.same((await client.keys('*')).sort(), [...left, ...forAWhile].sort());
  t.equal(await client.get(key('queue-bytes')), '0');
});

t.test('redis: a user who may not publish writes all the same', async (t) => {
  const { server, client, store } = await open(t);
  await client.call('ACL', 'SETUSER', 'quiet', 'on', '>secret', '~*', '+@all', 'resetchannels');
  const quiet = await openConnected(t, { url: `redis://quiet:secret@127.0.0.1:${server.port}` });
  const { avatar } = await quiet.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  t.match(await quiet.save(canceled(avatar, FORGET), 1, KEEP), { saved: true, version: 2 });
  t.equal(await quiet.remove(avatar.id, 2), true);
  t.equal(await store.find(CALLER, avatar.id), null);
});
