import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { openRedisStore, type RedisStoreOptions } from '../../src/store/redis/redis.js';
import type { Store } from '../../src/store/store.js';
import type { Teardown } from '../support/redis.js';

/** A Redis store that has its connection, closed with the test. */
export async function openConnected(t: Teardown, options: RedisStoreOptions): Promise<Store> {
  const store = openRedisStore(options);
  t.teardown(() => store.close());
  await reachable(store);
  return store;
}

/** Resolves when the store answers; rejects with why not after ten seconds. */
export async function reachable(store: Store): Promise<void> {
  for (const deadline = performance.now() + 10_000; ; ) {
    try {
      await store.outlook([]);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** A way to Redis that can lose a reply: the command is done, the connection gone. */
export async function lossyWay(
  t: Teardown,
  port: number,
): Promise<{ url: string; loseReplies(lose: boolean): void }> {
  let lose = false;
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
        sockets.delete(socket);
      });
    }
    near.pipe(far);
    far.on('data', (reply) => (lose ? far.destroy() : near.write(reply)));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const url = `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    url,
    loseReplies(yes) {
      lose = yes;
    },
  };
}

/** Whether bytes of a submission are under a key. */
export const holdsSubmission = (key: string): boolean => /:(submission|upload):/.test(key);

/** A client for the test's own hands. */
export function clientOf(t: Teardown, url: string): Redis {
  const client = new Redis(url, { commandTimeout: 5000 });
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  return client;
}

/** Resolves once as many connections hear the channel. */
export async function heardBy(client: Redis, channel: string, count: number): Promise<void> {
  for (;;) {
    const [, hearing] = (await client.call('PUBSUB', 'NUMSUB', channel)) as [string, number];
    if (hearing === count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The document of a record at rest, as it is there; it begins on the second line. */
export async function documentAt(client: Redis, key: string): Promise<Buffer | null> {
  const stored = await client.getBuffer(key);
  return stored?.subarray(stored.indexOf('\n') + 1) ?? null;
}

/** Puts another document behind the head of a record at rest. */
export async function overwriteDocument(
  client: Redis,
  key: string,
  document: string | Buffer,
): Promise<void> {
  const stored = await client.getBuffer(key);
  if (stored === null) throw new Error(`there is no ${key}`);
  const head = stored.subarray(0, stored.indexOf('\n') + 1);
  await client.set(key, Buffer.concat([head, Buffer.from(document)]));
}
