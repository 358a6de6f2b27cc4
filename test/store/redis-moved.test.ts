/** A name that leads to another Redis, while connections to the former one live on. */

import { EventEmitter, once } from 'node:events';
import t, { type Test } from 'tap';
import { openRedisStore, type RedisEvent } from '../../src/store/redis/redis.js';
import { startRelay } from '../cli/relay.js';
import { postExample } from '../e2e/support.js';
import { startApp } from '../support/app.js';
import { startRedis } from '../support/redis.js';
import { command } from '../support/redis-command.js';
import { replicates } from '../support/redis-replication.js';
import { until } from '../support/until.js';
import { avatarOf, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, heardBy, openConnected, reachable } from './fixtures-redis.js';

t.setTimeout(120_000);

/** A master and its replica, and a name that leads to the master. */
async function pair(t: Test) {
  const args = ['--repl-diskless-sync-delay', '0'];
  const old = await startRedis(t, { args });
  const next = await startRedis(t, { args: [...args, '--replicaof', '127.0.0.1', String(old.port)] });
  await replicates(next);
  const relay = await startRelay(t, old.url);
  return {
    old,
    next,
    url: relay.url.replace('http:', 'redis:'),
    /** They change places; the name goes on leading to the former master. */
    async swap() {
      await command(next.port, {}, 'REPLICAOF', 'NO', 'ONE');
      await command(old.port, {}, 'REPLICAOF', '127.0.0.1', next.port);
      await replicates(old);
    },
    moveName: () => relay.leadTo(next.url),
  };
}

t.test('redis: [R01] [F50] a master that became a replica is left for where the name leads', async (t) => {
  const { old, next, url, swap, moveName } = await pair(t);
  const store = await openConnected(t, { url });
  const heard: string[] = [];
  t.teardown(store.onChange((change) => change && heard.push(change.id)));
  await heardBy(clientOf(t, old.url), '{avatar-gateway}:changes', 1);
  moveName();
  await swap();
  await t.rejects(store.ping());
  await reachable(store);
  await heardBy(clientOf(t, next.url), '{avatar-gateway}:changes', 1);
  await heardBy(clientOf(t, old.url), '{avatar-gateway}:changes', 0);
  const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
  await until('and what happens there is heard', async () => heard.includes(avatar.id) || null);
});

t.test(
  'redis: [R01] [F50] while the name leads to the replica it is not used, and asked with pauses',
  async (t) => {
    const { old, next, url, swap, moveName } = await pair(t);
    const events: RedisEvent[] = [];
    const emitter = new EventEmitter();
    const store = openRedisStore({
      url,
      onEvent(event) {
        if (event.kind !== 'hazards') events.push(event);
        emitter.emit(event.kind);
      },
    });
    t.teardown(() => store.close());
    if (events.length === 0) await once(emitter, 'connected');
    await swap();
    await t.rejects(store.ping(), { message: 'Redis refused (READONLY)' });
    const words = 'this Redis is a replica of another, and takes no writes';
    await until('it says why', () =>
      store.ping().then(
        () => null,
        ({ message }) => message === words || null,
      ),
    );
    const before = await connectionsOf(old.port);
    await until('some pauses long', async () => ((await connectionsOf(old.port)) > before + 2 ? true : null));
    t.same(
      events.map(({ kind }) => kind),
      ['connected', 'lost'],
      'said once',
    );
    moveName();
    await reachable(store);
    t.equal(await command(next.port, {}, 'EXISTS', '{avatar-gateway}:ping'), 1);
  },
);

async function connectionsOf(port: number): Promise<number> {
  const info = String(await command(port, {}, 'INFO', 'stats'));
  return Number(/total_connections_received:(\d+)/.exec(info)?.[1]);
}

t.test('[R01] [F50] a gateway is ready again in seconds, and takes avatars', async (t) => {
  const { url, swap, moveName } = await pair(t);
  const app = await startApp(t, { redis: { url, prefix: 'moved' } });
  const readiness = async () => (await fetch(`${app.url}/readyz`)).status;
  await until('it is ready', async () => (await readiness()) === 200 || null);
  await swap();
  await until('it is not ready', async () => (await readiness()) === 503 || null);
  const { detail } = (await (await fetch(`${app.url}/readyz`)).json()) as { detail: string };
  t.match(detail, /^The task store cannot be used: (this Redis is a replica of another|Redis )/);
  moveName();
  await until('it is ready again', async () => (await readiness()) === 200 || null, { withinMs: 10_000 });
  t.equal((await postExample(app.url)).status, 202);
});
