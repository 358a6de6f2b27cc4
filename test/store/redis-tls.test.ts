import { EventEmitter, once } from 'node:events';
import t, { type Test } from 'tap';
import { openRedisStore, type RedisEvent, type RedisStoreOptions } from '../../src/store/redis/redis.js';
import { StoreUnavailableError } from '../../src/store/store.js';
import { certificates } from '../support/certificates.js';
import { startRedis } from '../support/redis.js';
import { startCluster } from '../support/redis-cluster.js';
import { startSentinels } from '../support/redis-sentinel.js';
import { asUser, withUser } from '../support/redis-user.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { openConnected } from './fixtures-redis.js';

t.setTimeout(120_000);

const { ca, args, lines } = await certificates(t);
const withTls = { tls: true, args: [...args, ...withUser()] };

/** Something is written and read, and a change is heard of. */
async function works(t: Test, options: RedisStoreOptions): Promise<void> {
  const store = await openConnected(t, options);
  const heard: string[] = [];
  t.teardown(store.onChange((change) => change && heard.push(change.id)));
  const create = async () => (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
  const avatar = await create();
  t.match(await store.find(CALLER, avatar.id), { avatar });
  // What is said before the listener is connected is not heard.
  const isHeard = async () => ((await create()) && heard.length > 0) || null;
  await until('a change is heard of', isHeard, { everyMs: 5 });
}

/** Why a store is not used. */
async function refusal(t: Test, options: RedisStoreOptions): Promise<string | undefined> {
  const emitter = new EventEmitter();
  const store = openRedisStore({ ...options, onEvent: (event) => emitter.emit(event.kind, event) });
  t.teardown(() => store.close());
  const [lost] = (await once(emitter, 'lost')) as [RedisEvent];
  await t.rejects(store.ping(), StoreUnavailableError);
  await store.close();
  return lost.kind === 'lost' ? lost.error?.message : lost.kind;
}

t.test('redis: TLS: a Redis that an authority of its own vouches for', async (t) => {
  const { url } = await startRedis(t, withTls);
  await works(t, { url: asUser(url), tlsCa: ca });
});

t.test('redis: TLS: a Redis that nobody known vouches for is not used', async (t) => {
  const { url, port } = await startRedis(t, withTls);
  const stranger = await certificates(t);
  const reasons = [
    await refusal(t, { url: asUser(url) }),
    await refusal(t, { url: asUser(url), tlsCa: stranger.ca }),
    await refusal(t, { url: `redis://127.0.0.1:${port}` }),
  ];
  t.match(reasons[0], /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  t.match(reasons[1], /cannot be reached/);
  t.match(reasons[2], /cannot be reached/, 'nor without TLS');

  const other = await certificates(t, 'DNS:another.example');
  const elsewhere = await startRedis(t, { tls: true, args: other.args });
  const reason = await refusal(t, { url: elsewhere.url, tlsCa: other.ca });
  t.match(reason, /ERR_TLS_CERT_ALTNAME_INVALID/, 'nor one that the certificate is not for');
});

t.test('redis: TLS: sentinels, and the master that they name', async (t) => {
  const { url } = await startSentinels(t, {
    ...{ sentinels: 1, replicas: 1, args: withTls.args, lines, login: { tls: { ca } } },
  });
  await works(t, { url: asUser(url), tlsCa: ca });
});

t.test('redis: TLS: a Cluster', async (t) => {
  const { url } = await startCluster(t, {
    ...{ args: [...withTls.args, '--tls-cluster', 'yes'], login: { tls: { ca } } },
  });
  await works(t, { url: asUser(url), tlsCa: ca });
});

/** A certificate for `localhost`, of servers that are known by their address. */
const named = await certificates(t, 'DNS:localhost');
const asLocalhost = { tls: { ca: named.ca, servername: 'localhost' } };
const byName = (url: string) => url.replaceAll('127.0.0.1', 'localhost');
const MISNAMED =
  'Redis cannot be reached (ERR_TLS_CERT_ALTNAME_INVALID): its certificate is for another name, which REDIS_TLS_SERVERNAME can give';

t.test('redis: [R19] TLS: a Cluster that names its nodes by address', async (t) => {
  const args = [...named.args, '--tls-cluster', 'yes', '--cluster-announce-ip', '127.0.0.1'];
  const { nodes, url, command } = await startCluster(t, { args, login: asLocalhost });
  const options = { url: byName(url), tlsCa: named.ca };
  t.equal(await refusal(t, options), MISNAMED);
  await works(t, { ...options, tlsServername: 'localhost' });
  for (const node of nodes) await command(node, 'CONFIG', 'SET', 'cluster-announce-hostname', 'localhost');
  await until('all of them announce their name', async () => {
    const said = await Promise.all(nodes.map((node) => command(node, 'CLUSTER', 'SLOTS')));
    return said.every((slots) => String(slots).split('localhost').length > 3) || null;
  });
  await works(t, options);
});

t.test('redis: [R19] TLS: sentinels that name the master by address', async (t) => {
  const { args, lines, ca } = named;
  const { url } = await startSentinels(t, { sentinels: 1, replicas: 0, args, lines, login: asLocalhost });
  const options = { url: byName(url), tlsCa: ca };
  t.equal(await refusal(t, options), MISNAMED);
  await works(t, { ...options, tlsServername: 'localhost' });
});

t.test(
  'redis: [R19] TLS: sentinels whose certificate is for neither their name nor their address',
  async (t) => {
    const tlsServername = 'redis.example';
    const { args, lines, ca } = await certificates(t, `DNS:${tlsServername}`);
    const login = { tls: { ca, servername: tlsServername } };
    const { url } = await startSentinels(t, { sentinels: 1, replicas: 0, args, lines, login });
    for (const each of [url, byName(url)]) {
      t.equal(await refusal(t, { url: each, tlsCa: ca }), MISNAMED);
      await works(t, { url: each, tlsCa: ca, tlsServername });
    }
  },
);

t.test('redis: an authority that is no certificate stops the start', async (t) => {
  const open = () => openRedisStore({ url: 'rediss://127.0.0.1:1', tlsCa: 'no PEM' });
  t.throws(open, { message: 'the certificate authority of Redis cannot be read' });
});

t.test('redis: a database that cannot be selected is not replaced by another', async (t) => {
  const { url } = await startRedis(t, { args: ['--databases', '2'] });
  t.match(await refusal(t, { url: `${url}/2` }), /^Redis refused \(ERR\): it has no database of the number/);
  await works(t, { url: `${url}/1` });
});
