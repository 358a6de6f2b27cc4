import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { Subscription } from '../../src/store/redis/connection/subscription.js';
import type { Change, Store } from '../../src/store/store.js';
import { startRedis } from '../support/redis.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, heardBy as heardOn, openConnected, reachable } from './fixtures-redis.js';

const CHANNEL = '{avatar-gateway}:changes';
const heardBy = (client: Redis, count: number) => heardOn(client, CHANNEL, count);

/** What a listener heard, and a promise of the next word. */
function listener() {
  const heard: string[] = [];
  let wake = () => {};
  const next = () => new Promise<void>((resolve) => (wake = resolve));
  return {
    heard,
    next,
    listen(change: Change | null) {
      if (change === null) return;
      heard.push(change.id);
      wake();
    },
  };
}

async function make(store: Store): Promise<string> {
  return (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar.id;
}

t.test('redis: what another process writes is heard of, once, by each who listens', async (t) => {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  const [store, other] = [
    await openConnected(t, { url: server.url }),
    await openConnected(t, { url: server.url }),
  ];
  const [one, two] = [listener(), listener()];
  const endOne = store.onChange(one.listen);
  const endTwo = store.onChange(two.listen);
  await heardBy(client, 1);
  const first = two.next();
  const id = await make(other);
  await first;
  t.same([one.heard, two.heard], [[id], [id]]);

  endOne();
  const second = two.next();
  await other.remove(id, 1);
  await second;
  t.same([one.heard, two.heard], [[id], [id, id]]);
  endTwo();
  await heardBy(client, 0);
  store.onChange(one.listen);
  await heardBy(client, 1);
  await store.close();
  await heardBy(client, 0);
});

t.test('redis: who listens hears again after Redis was away', async (t) => {
  const server = await startRedis(t);
  const store = await openConnected(t, { url: server.url });
  const { heard, next, listen } = listener();
  store.onChange(listen);
  await heardBy(clientOf(t, server.url), 1);
  for (let i = 0; i < 2; i++) {
    await server.kill();
    await server.start();
    await reachable(store);
    await heardBy(clientOf(t, server.url), 1);
    const word = next();
    const id = await make(store);
    await word;
    t.equal(heard.at(-1), id);
  }
});

t.test('redis: whoever begins to hear, or hears again, is told that anything may have changed', async (t) => {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  const store = await openConnected(t, { url: server.url });
  const heard: (string | null)[] = [];
  let wake = () => {};
  const next = () => new Promise<void>((resolve) => (wake = resolve));
  const first = next();
  store.onChange((change) => {
    heard.push(change?.id ?? null);
    wake();
  });
  await first;
  const word = next();
  const id = await make(store);
  await word;
  const again = next();
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await again;
  t.same(heard, [null, id, null]);
  await heardBy(client, 1);
});

t.test('redis: a peer that is gone without a word is noticed by who only listens', async (t) => {
  const server = await startRedis(t);
  const way = await wayThatHangs(t, server.port);
  const { heard, next, listen } = listener();
  const subscription = new Subscription(
    (options) => new Redis({ ...options, port: way.port, retryStrategy: () => 10 }),
    CHANNEL,
    200,
  );
  t.teardown(() => subscription.close());
  subscription.listen(listen);
  const client = clientOf(t, server.url);
  await heardBy(client, 1);
  way.hang();
  await heardBy(client, 2); // The old one still counts: nobody told Redis either.
  const word = next();
  await client.publish(CHANNEL, '7 av_1 1750000000000000 team-a');
  await word;
  t.same(heard, ['av_1']);
});

t.test('redis: who may not hear does without', async (t) => {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  await client.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels');
  const store = await openConnected(t, { url: `redis://deaf:secret@127.0.0.1:${server.port}` });
  const { heard, listen } = listener();
  store.onChange(listen);
  for (;;) {
    const denied = (await client.call('ACL', 'LOG')) as unknown[];
    if (String(denied).includes('subscribe')) break;
  }
  const id = await make(store);
  t.ok(await store.find(CALLER, id));
  t.same(heard, []);
});

/** A way to Redis whose present connections can fall silent; later ones are whole. */
async function wayThatHangs(t: Test, port: number): Promise<{ port: number; hang(): void }> {
  const links = new Set<[near: Socket, far: Socket]>();
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    links.add([near, far]);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of [...links].flat()) socket.destroy();
    proxy.close();
  });
  return {
    port: (proxy.address() as AddressInfo).port,
    hang() {
      for (const [near, far] of links) {
        near.unpipe(far);
        far.unpipe(near);
      }
    },
  };
}
