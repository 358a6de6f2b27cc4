/** While the slot of a store moves from one master of a Cluster to another, a script is run whole or not at all. */

import t from 'tap';
import { canceled } from '../../src/domain/moves.js';
import { startCluster } from '../support/redis-cluster.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { openConnected } from './fixtures-redis.js';

t.test('redis: cluster: of a store whose slot moves nothing is written by half', async (t) => {
  const cluster = await startCluster(t);
  const [from, to] = cluster.nodes;
  if (from === undefined || to === undefined) throw new Error('too few nodes');
  const keyPrefix = await cluster.tagOf(from, 'avatar-gateway-');
  const store = await openConnected(t, { url: cluster.url, keyPrefix });
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
  const save = () =>
    store.save(canceled(avatar, { now: 0, retentionMs: LONG }), 1, { dueInMs: LONG, submission: 'drop' });
  const key = (name: string) => `{${keyPrefix}}:${name}`;

  const slot = String(await cluster.command(from, 'CLUSTER', 'KEYSLOT', key('due')));
  const idOf = async (node: typeof from) => String(await cluster.command(node, 'CLUSTER', 'MYID'));
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  await cluster.command(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await cluster.command(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  const move = (name: string) => cluster.command(from, 'MIGRATE', '127.0.0.1', to.port, name, 0, 5000);
  await move(key('list'));

  const refused = { name: 'StoreUnavailableError' };
  await t.rejects(save(), refused);
  await t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(0)), refused);
  await t.rejects(store.find(CALLER, avatar.id), refused);
  t.same(await cluster.command(from, 'ZCARD', key('queue')), 1, 'it has not left the queue');

  const left = (await cluster.command(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 1000)) as string[];
  for (const name of left) await move(name);
  for (const node of [to, from]) await cluster.command(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  const found = () => store.find(CALLER, avatar.id).catch(() => null);
  await until('it goes on where the slot is', found, { everyMs: 20 });
  t.match(await store.find(CALLER, avatar.id), { version: 1, avatar: { status: 'queued' } });
  t.match(await save(), { saved: true, version: 2 });
});
