/** What is known already is asked for by its version. */

import t from 'tap';
import { EVERYONE } from '../../src/domain/caller.js';
import { startRedis } from '../support/redis.js';
import { avatarOf, beginNext, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
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
