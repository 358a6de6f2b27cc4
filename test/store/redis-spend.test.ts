/** What was spent, where Redis is shared, a reply is lost, or an account is not there any more. */

import t, { type Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { canceled } from '../../src/domain/moves.js';
import { dayOf } from '../../src/domain/spend.js';
import { type Store, USE_MS } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, lossyWay, openConnected, reachable } from './fixtures-redis.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;
const UNITS = 3226;
const NOW = Date.now();
const TODAY = dayOf(NOW);
const ACCOUNT = `{avatar-gateway}:spend:${TODAY.slice(0, 7)}:${CALLER}`;

const paid = (): Avatar =>
  avatarOf({
    createdAt: NOW,
    spend: { reserved: { durationMs: 7200, units: UNITS }, settled: null, billed: null },
  });
async function create(store: Store, avatar = paid(), caps = { day: 10 * UNITS, month: null }) {
  const admitted = await store.admit(avatar, [SUBMISSION], dueIn(LONG, { caps }));
  if (admitted.outcome === 'known') throw new Error('it was known');
  return admitted;
}
const reserved = async (store: Store) => (await store.use(CALLER, TODAY, TODAY))[0]?.reserved.avatars ?? 0;

async function open(t: Test) {
  const server = await startRedis(t);
  const way = await lossyWay(t, server.port);
  const [store, unlucky] = [
    await openConnected(t, { url: server.url }),
    await openConnected(t, { url: way.url }),
  ];
  /** What is asked is done, and its reply lost. */
  const lose = async (ask: () => Promise<unknown>) => {
    way.loseReplies(true);
    await t.rejects(ask(), { name: 'StoreUnavailableError' });
    way.loseReplies(false);
    await reachable(unlucky);
  };
  return { client: clientOf(t, server.url), store, unlucky, lose };
}

t.test('redis: of 200 that two processes create at once under a cap of 10 avatars, 10 are', async (t) => {
  const { store, unlucky } = await open(t);
  const creations = Array.from({ length: 200 }, (_, i) => create(i % 2 === 0 ? store : unlucky));
  const results = await Promise.allSettled(creations);
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 10);
  for (const each of results) if (each.status === 'rejected') t.match(each.reason, { limit: 'day' });
  t.equal(await reserved(store), 10);
});

t.test('redis: a write that is sent again counts once', async (t) => {
  const { store, unlucky, lose } = await open(t);
  const avatar = paid();
  await lose(() => create(unlucky, avatar));
  const again = await create(unlucky, avatar, { day: UNITS, month: null });
  t.same(again.spent, { day: UNITS, month: UNITS });
  t.equal(await reserved(store), 1);

  await create(store);
  const next = canceled(avatar, { now: NOW, retentionMs: LONG });
  await lose(() => unlucky.save(next, 1, KEEP));
  t.match(await unlucky.save(next, 1, KEEP), { saved: true });
  t.equal(await reserved(store), 1);
});

t.test('redis: accounts go by themselves, and what is saved later does not bring them back', async (t) => {
  const { client, store } = await open(t);
  const { avatar } = await create(store);
  const leftMs = await client.pttl(ACCOUNT);
  t.ok(leftMs > USE_MS - LONG && leftMs <= USE_MS, `${leftMs}`);
  await store.save(avatar, 1, KEEP);
  t.ok((await client.pttl(ACCOUNT)) > 0);
  await client.del(ACCOUNT);
  const { avatar: other } = await create(store);
  await client.del(ACCOUNT);
  await store.save(canceled(other, { now: NOW, retentionMs: LONG }), 1, KEEP);
  t.equal(await client.exists(ACCOUNT), 0);
});

t.test('redis: sums stay exact where they are large', async (t) => {
  const { client, store } = await open(t);
  await create(store);
  const entry = `${TODAY.slice(8)} std`;
  await client.hset(ACCOUNT, entry, '1 7200 900719925474000 0 0 0 0 0', 'month', '900719925474000');
  const { spent } = await create(store);
  t.equal(spent?.month, 900719925474000 + UNITS);
  t.equal((await store.use(CALLER, TODAY, TODAY))[0]?.reserved.units, 900719925474000 + UNITS);
});
