/** Answers that rest on a write of another process wait for that as well. Run by a proxy that waits as Redis 7.2 does. */

import t, { type Test } from 'tap';
import { canceled } from '../../src/domain/moves.js';
import type { Store } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import { wayAs72 } from '../support/redis-72.js';
import { until } from '../support/until.js';
import { avatarOf, beginWith, CALLER, dueIn, freely, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, openConnected } from './fixtures-redis.js';

const TOO_FEW = { message: /too few copies/ };
const KEEP = { dueInMs: LONG, submission: 'keep' } as const;

/** Two processes at a Redis that flushes nothing while it is told so. */
async function open(t: Test) {
  const server = await startRedis(t, { args: ['--repl-diskless-sync-delay', '0'] });
  await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(server.port)] });
  // What a client wrote is told by the offset, which goes on once there was a replica.
  t.equal(await clientOf(t, server.url).wait(1, 10_000), 1);
  const way = await wayAs72(t, server.port);
  const options = { url: way.url, waitFor: { replicas: 0, ownFile: true }, commandTimeoutMs: 1_000 };
  const [one, other] = [await openConnected(t, options), await openConnected(t, options)];
  for (const store of [one, other]) await store.ping();
  return { way, one, other };
}

const begin = () => beginWith(freely());
const answers: Record<string, (t: Test, one: Store, hold: () => Promise<void>) => Promise<Again>> = {
  async 'a replayed key'(t, one, hold) {
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    await hold();
    await t.rejects(one.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG)), TOO_FEW);
    return (by) => by.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG));
  },
  async 'an admission that was there already'(t, one, hold) {
    const [avatar, admission] = [avatarOf(), dueIn(LONG, { begin: begin() })];
    await hold();
    await t.rejects(one.admit(avatar, [SUBMISSION], admission), TOO_FEW);
    return (by) => by.admit(avatar, [SUBMISSION], admission);
  },
  async 'submits that were begun already'(t, one, hold) {
    const [again] = [begin(), await one.admit(avatarOf(), [SUBMISSION], dueIn(LONG))];
    await hold();
    await t.rejects(one.begin(again, 9), TOO_FEW);
    return (by) => by.begin(again, 9);
  },
  async 'a save that was done already'(t, one, hold) {
    const { avatar } = await one.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const save = (by: Store) => by.save(canceled(avatar, { now: 0, retentionMs: LONG }), 1, KEEP);
    await hold();
    await t.rejects(save(one), TOO_FEW);
    return save;
  },
  async 'a cancel that is written again, unseen'(t, one, hold) {
    const { avatar } = await one.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    await hold();
    await t.rejects(one.save(canceled(avatar, { now: 0, retentionMs: LONG }), 1, KEEP), TOO_FEW);
    return async (by) => {
      const found = await by.find(CALLER, avatar.id);
      if (found === null) throw new Error('it is not there');
      t.equal(found.avatar.status, 'canceled');
      return by.save(found.avatar, found.version, { ...KEEP, silent: true });
    };
  },
};
type Again = (by: Store) => Promise<unknown>;

for (const [what, prepare] of Object.entries(answers)) {
  t.test(`redis: [A3] [F49] ${what} waits for no less than the first`, async (t) => {
    const { way, one, other } = await open(t);
    const again = await prepare(t, one, () => way.holdFlushes(true));
    await t.rejects(again(other), TOO_FEW, 'nor does another process say it');
    await way.holdFlushes(false);
    await t.resolves(again(other));
  });
}

t.test('redis: [A3] [F49] a replica that is behind keeps a replayed key from being answered', async (t) => {
  const server = await startRedis(t, { args: ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(server.port)] });
  const client = clientOf(t, server.url);
  t.equal(await client.wait(1, 10_000), 1);
  const { url } = await wayAs72(t, server.port);
  const options = { url, waitFor: { replicas: 1, ownFile: false }, commandTimeoutMs: 1_000 };
  const [one, other] = [await openConnected(t, options), await openConnected(t, options)];
  const ready = () => Promise.all([one.ping(), other.ping()]).catch(() => null);
  await until('the replica keeps up', ready);
  await client.set('anything', '');
  t.equal(await client.wait(1, 10_000), 1, 'what they wrote so far is there');
  const admit = (by: Store) =>
    by.admit(avatarOf({ idempotency: { key: 'key-1', fingerprint: 'f' } }), [SUBMISSION], dueIn(LONG));
  replica.freeze();
  await t.rejects(admit(one), TOO_FEW);
  await t.rejects(admit(other), TOO_FEW);
  replica.thaw();
  await t.resolves(admit(other));
});

t.test('redis: [B12] where copies are missing it is not ready', async (t) => {
  const { url } = await startRedis(t);
  const waitFor = { replicas: 1, ownFile: false };
  const store = await openConnected(t, { url, waitFor, commandTimeoutMs: 400 });
  await t.rejects(store.ping(), TOO_FEW);
});

t.test('redis: a write and its wait are one round trip, also where the script was forgotten', async (t) => {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  const way = await wayAs72(t, server.port);
  const waitFor = { replicas: 0, ownFile: true };
  const store = await openConnected(t, { url: way.url, waitFor, commandTimeoutMs: 1_000 });
  await store.ping();
  await client.script('FLUSH');
  t.match(await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)), { outcome: 'queued' });
});
