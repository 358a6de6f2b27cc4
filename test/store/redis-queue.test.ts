import t, { type Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, beginSubmit, requeued, unconfirmed } from '../../src/domain/moves.js';
import { callerDigest } from '../../src/store/digests.js';
import type { Save } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import { avatarOf, CALLER, dueIn, idsOf, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, lossyWay, openConnected, reachable } from './fixtures-redis.js';

const KEY = 'key-1';
const KEEP: Save = { dueInMs: LONG, submission: 'keep' };
const DROP: Save = { dueInMs: LONG, submission: 'drop' };
const key = (name: string) => `{avatar-gateway}:${name}`;

async function open(t: Test) {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  const store = await openConnected(t, { url: server.url });
  const submit = async (avatar: Avatar, version = 1, save: Partial<Save> = {}) => {
    const begun = beginSubmit(avatar, KEY, 'intent-1');
    const result = await store.save(begun, version, { ...KEEP, ...save });
    return { avatar: begun, result };
  };
  const slots = async () => (await store.outlook([KEY])).lanes.get(KEY)?.slots;
  return { server, client, store, submit, slots };
}

t.test('redis: what was never told to be created is kept from the queue for a while', async (t) => {
  const { server, store } = await open(t);
  const way = await lossyWay(t, server.port);
  const unlucky = await openConnected(t, { url: way.url });
  const lose = async (change: Partial<Avatar>, doubtMs: number) => {
    const avatar = avatarOf(change);
    way.loseReplies(true);
    await t.rejects(unlucky.create(avatar, [SUBMISSION], dueIn(LONG, { doubtMs })));
    way.loseReplies(false);
    await reachable(unlucky);
    return avatar;
  };
  const doubted = await lose({}, LONG);
  const keyed = await lose({ idempotency: { key: 'k', fingerprint: 'f' } }, LONG);
  const told = (await store.create(avatarOf(), [SUBMISSION], dueIn(LONG, { doubtMs: LONG }))).avatar;
  const over = await lose({}, 0);
  t.same(idsOf(await store.next(9)), idsOf([keyed, told, over]));
  t.match(await store.find(CALLER, doubted.id), { ahead: 0 }, 'it is there for its creator');
  await unlucky.create(doubted, [SUBMISSION], dueIn(LONG, { doubtMs: LONG }));
  t.same(idsOf(await store.next(1)), [doubted.id], 'told after all');
});

t.test('redis: the first in the queue is had although others in front are in doubt', async (t) => {
  const { client, store } = await open(t);
  for (let i = 0; i < 60; i++) {
    const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    await client.zadd(key('queue-doubt'), Date.now() + LONG, avatar.id);
  }
  const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
  t.same(idsOf(await store.next(1)), [avatar.id]);
});

t.test('redis: a record that cannot be read does not keep others from the queue', async (t) => {
  const { client, store } = await open(t);
  const made: Avatar[] = [];
  while (made.length < 4) made.push((await store.create(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar);
  const [corrupt, newer, gone, good] = made as [Avatar, Avatar, Avatar, Avatar];
  await client.hset(key(`avatar:${corrupt.id}`), 'doc', 'rubbish');
  await client.hset(key(`avatar:${newer.id}`), 'doc', '9 {}');
  await client.del(key(`avatar:${gone.id}`));
  t.same(idsOf(await store.next(1)), [good.id]);
  t.same(store.health(), { corruptRecords: 1 });
  t.equal((await store.find(CALLER, good.id))?.ahead, 1, 'behind the newer one alone');
  t.match(await store.outlook([]), { queued: 2, queuedBytes: 2 * SUBMISSION.length });
});

t.test('redis: the slot of a record that was lost is free again', async (t) => {
  const { client, store, submit, slots } = await open(t);
  const corrupt = (await store.create(avatarOf(), [SUBMISSION], dueIn(0))).avatar;
  await submit(corrupt, 1, { dueInMs: 0 });
  await client.hset(key(`avatar:${corrupt.id}`), 'doc', 'rubbish');
  t.equal(await slots(), 1);
  t.same(await store.claim(null, 9, LONG), []);
  t.equal(await slots(), 0, 'although nothing was ever due with that key');

  const gone = (await store.create(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
  const begun = await submit(gone);
  await store.save(accepted(begun.avatar, 'task-1', 0), 2, { dueInMs: 0, submission: 'drop' });
  t.equal(await slots(), 1);
  await client.del(key(`avatar:${gone.id}`));
  t.same(await store.claim(KEY, 9, LONG), []);
  const outlook = await store.outlook([KEY]);
  t.match(outlook, { dueInMs: null, queued: 0 });
  t.same(outlook.lanes.get(KEY), { slots: 0, due: 0, dueInMs: null });
  t.same(store.health(), { corruptRecords: 1 });
});

t.test('redis: an avatar whose slot ran out takes one like any other', async (t) => {
  const { client, store, submit } = await open(t);
  const failure = { type: 'outcome-unknown', detail: 'lost', upstreamStatus: null } as const;
  const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
  const begun = await submit(avatar);
  const lost = unconfirmed(begun.avatar, failure, { now: 0, retentionMs: LONG });
  await store.save(lost, 2, { ...DROP, slotForMs: LONG });
  const other = (await store.create(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
  t.match((await submit(other, 1, { slots: 1 })).result, { reason: 'no-slot' });
  await client.zadd(key(`slots:${KEY}`), 1, avatar.id);
  t.match((await submit(other, 1, { slots: 1 })).result, { saved: true });
  const found = accepted(lost, 'task-1', 0);
  await client.zadd(key(`slots:${KEY}`), 1, avatar.id);
  t.match(await store.save(found, 3, { ...DROP, slots: 1 }), { reason: 'no-slot' });
  t.match(await store.find(CALLER, avatar.id), { avatar: lost, version: 3 }, 'nothing was written');
});

t.test('redis: bytes are counted as they come and go, whatever the order', async (t) => {
  const { store, submit } = await open(t);
  const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
  await store.save({ ...avatar, polls: 1 }, 1, KEEP);
  t.match(await store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
  await store.save({ ...avatar, polls: 2 }, 2, DROP);
  t.match(await store.outlook([]), { queued: 1, queuedBytes: 0 });
  t.match((await submit(avatar, 3)).result, { saved: true });
  t.match(await store.outlook([]), { queued: 0, queuedBytes: 0 });
});

t.test('redis: an avatar that was not queued before can be, and be submitted', async (t) => {
  const { store, submit, slots } = await open(t);
  const { avatar } = await store.create(
    avatarOf({ status: 'submitting', keyId: KEY }),
    [SUBMISSION],
    dueIn(LONG),
  );
  t.match(await store.save(requeued(avatar), 1, KEEP), { saved: true });
  t.match((await submit({ ...avatar, status: 'queued' }, 2)).result, { saved: true });
  t.match(await store.find(CALLER, avatar.id), { version: 3, ahead: null });
  t.equal(await slots(), 1);
});

t.test('redis: callers whom the clock passed are forgotten', async (t) => {
  const { client, store, submit } = await open(t);
  for (const caller of ['a', 'b', 'c']) {
    const { avatar } = await store.create(avatarOf({ caller }), [SUBMISSION], dueIn(LONG));
    await submit(avatar);
  }
  const made: Avatar[] = [];
  while (made.length < 2)
    made.push((await store.create(avatarOf({ caller: 'a' }), [SUBMISSION], dueIn(LONG))).avatar);
  for (const avatar of made) await submit(avatar);
  t.same(await client.zrange(key('queue-callers'), '0', '-1'), ['a']);
  t.equal(await client.zscore(key('queue-callers'), 'a'), '3');
  t.equal(await client.get(key('queue-clock')), '3');
});

t.test('redis: a full Redis forgets what it is told to, all of it', async (t) => {
  const { client, store } = await open(t);
  const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
  await client.config('SET', 'maxmemory', '1mb');
  t.equal(await store.remove(avatar.id, 1), true);
  t.match(await store.outlook([]), { queued: 0, queuedBytes: 0, dueInMs: null });
});

t.test('redis: a removed avatar that was at Modellix leaves nothing', async (t) => {
  const { client, store, submit } = await open(t);
  const feed = `feed:${callerDigest(CALLER)}`;
  const left = [...['everyone', feed, 'lanes', 'mark', 'ping', 'queue-bytes', 'queue-callers', 'queue-clock']]
    .map(key)
    .sort();
  const { avatar } = await store.create(
    avatarOf({ idempotency: { key: 'k', fingerprint: 'f' } }),
    [SUBMISSION],
    dueIn(LONG),
  );
  const begun = await submit(avatar);
  await store.save(accepted(begun.avatar, 'task-1', 0), 2, DROP);
  t.equal(await store.remove(avatar.id, 3), true);
  t.same((await client.keys('*')).sort(), left);
  t.equal(await client.get(key('queue-bytes')), '0');
});

t.test('redis: a user who may not publish writes all the same', async (t) => {
  const { server, client, store } = await open(t);
  await client.call('ACL', 'SETUSER', 'quiet', 'on', '>secret', '~*', '+@all', 'resetchannels');
  const quiet = await openConnected(t, { url: `redis://quiet:secret@127.0.0.1:${server.port}` });
  const { avatar } = await quiet.create(avatarOf(), [SUBMISSION], dueIn(LONG));
  t.match(await quiet.save(beginSubmit(avatar, KEY, 'intent-1'), 1, KEEP), { saved: true, version: 2 });
  t.equal(await quiet.remove(avatar.id, 2), true);
  t.equal(await store.find(CALLER, avatar.id), null);
});
