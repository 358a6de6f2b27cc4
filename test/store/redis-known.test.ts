/** What is known already is asked for by its version. */

import t from 'tap';
import { EVERYONE } from '../../src/domain/caller.js';
import { idWord } from '../../src/store/redis/ids.js';
import { startRedis } from '../support/redis.js';
import { asUser, PREFIX, withUser } from '../support/redis-user.js';
import { avatarOf, beginNext, CALLER, dueIn, KEY, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, openConnected } from './fixtures-redis.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;

t.test('redis: an avatar that is known is read again only where it was changed', async (t) => {
  const { url } = await startRedis(t);
  const client = clientOf(t, url);
  const store = await openConnected(t, { url });
  await store.admit(avatarOf({ id: 'av_1' }), [SUBMISSION], dueIn(LONG));
  const queued = await store.find(CALLER, 'av_1');
  t.not(await store.find(CALLER, 'av_1', queued), queued, 'its place in the queue changes with others');

  const { avatar, version } = await beginNext(store);
  const known = await store.find(CALLER, 'av_1', queued);
  t.match(known, { version, avatar: { status: 'submitting' } });
  t.equal(await store.find(CALLER, 'av_1', known), known);
  await store.save({ ...avatar, polls: 1 }, version, KEEP);
  const changed = await store.find(EVERYONE, 'av_1', known);
  t.match(changed, { version: version + 1, avatar: { polls: 1 } });

  const [key = ''] = await client.keys('*:avatar:*');
  await client.del(key);
  t.equal(await store.find(CALLER, 'av_1', changed), null);
  await client.hset(key, 'not', 'a string');
  await t.rejects(store.find(CALLER, 'av_1', changed), { name: 'CorruptRecordError' });
  await client.quit();
});

t.test('redis: a user with the least rights may do that, too', async (t) => {
  const { url } = await startRedis(t, { args: withUser() });
  const store = await openConnected(t, { url: asUser(url), keyPrefix: PREFIX });
  await store.admit(avatarOf({ id: 'av_1' }), [SUBMISSION], dueIn(LONG));
  await beginNext(store);
  const known = await store.find(CALLER, 'av_1');
  t.equal(await store.find(CALLER, 'av_1', known), known);
});

t.test('redis: damaged records hold up nobody and nothing, and are nobody else’s', async (t) => {
  const { url } = await startRedis(t);
  const client = clientOf(t, url);
  const store = await openConnected(t, { url, keyPrefix: PREFIX });
  const keyOf = (id: string) => `{${PREFIX}}:avatar:${idWord(id)}`;

  // Which version a text says is read in two languages.
  const [cut, good] = [avatarOf({}), avatarOf({})];
  for (const each of [cut, good]) await store.admit(each, [SUBMISSION], dueIn(LONG));
  await client.set(keyOf(cut.id), '1 1/1');
  t.equal((await beginNext(store)).avatar.id, good.id, 'the next one is begun');
  t.equal(store.health().corruptRecords, 1);

  await client.set(keyOf(good.id), 'of which nothing can be read');
  t.equal((await store.outlook([KEY])).keys.get(KEY)?.slots, 1);
  await t.rejects(store.find(CALLER, good.id), { name: 'CorruptRecordError' });
  t.equal((await store.outlook([KEY])).keys.get(KEY)?.slots, 0, 'its slot is free');

  const claimed = avatarOf({});
  await store.admit(claimed, [SUBMISSION], dueIn(0));
  await store.claim({ keyId: null, limit: 1, leaseMs: LONG });
  const text = (await client.get(keyOf(claimed.id))) ?? '';
  await client.set(keyOf(claimed.id), text.slice(0, -20));
  await t.rejects(store.find(CALLER, claimed.id), { name: 'CorruptRecordError' });
  t.equal(await store.find('another', claimed.id), null);
  await client.quit();
});
