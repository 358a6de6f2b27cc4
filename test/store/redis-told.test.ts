/** A Redis that cannot be used says in words why. */

import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { refusalOf } from '../../src/store/redis/connection/unavailable.js';
import { openRedisStore, type RedisEvent } from '../../src/store/redis/redis.js';
import { startApp } from '../support/app.js';
import { startRedis } from '../support/redis.js';
import { startCluster } from '../support/redis-cluster.js';

t.setTimeout(120_000);

/** A server that answers each command by its name, as far as it is known, and else OK. */
async function respServer(t: Test, answers: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const command of String(chunk).split(/(?=^\*\d+\r\n\$)/m)) {
        const name = /^\*\d+\r\n\$\d+\r\n([a-z]+)\r\n/i.exec(command)?.[1]?.toUpperCase() ?? '';
        socket.write(answers[name] ?? '+OK\r\n');
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void server.close());
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const info = (version: string) =>
  bulk(
    `# Server\r\nredis_version:${version}\r\nrole:master\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n`,
  );

/** Why a store is not used. */
async function reason(t: Test, url: string, keyPrefix?: string): Promise<string | undefined> {
  const emitter = new EventEmitter();
  const store = openRedisStore({
    ...{ url, ...(keyPrefix !== undefined && { keyPrefix }) },
    onEvent: (event) => emitter.emit(event.kind, event),
  });
  t.teardown(() => store.close());
  const [lost] = (await once(emitter, 'lost')) as [RedisEvent];
  await store.close();
  return lost.kind === 'lost' ? lost.error?.message : undefined;
}

t.test('redis: [R18] one that is too old', async (t) => {
  const url = await respServer(t, { INFO: info('6.2.14'), GET: '$-1\r\n', SET: '-ERR syntax error\r\n' });
  const words = 'this Redis is 6.2.14; 7.0 or newer is needed';
  t.equal(await reason(t, url), words);
  const app = await startApp(t, { redis: { url, prefix: 'old' } });
  const answer = await fetch(`${app.url}/readyz`);
  t.equal(answer.status, 503);
  t.match(await answer.json(), { detail: `The task store cannot be used: ${words}.` });
  t.match(app.logLines().join('\n'), words);
});

t.test('redis: [R18] a Cluster behind a plain URL', async (t) => {
  const cluster = await startCluster(t);
  const [first, second] = cluster.nodes;
  if (first === undefined || second === undefined) throw new Error('too few nodes');
  const elsewhere = await cluster.tagOf(second, 'avatar-gateway-');
  const words =
    'this Redis is a node of a Cluster, and has not all keys: write redis+cluster:// in REDIS_URL';
  t.equal(await reason(t, first.url, elsewhere), words);
  const serverless = await respServer(t, { INFO: info('7.1.0'), GET: '-ERR MOVED 5474 10.0.0.7:6379\r\n' });
  t.equal(await reason(t, serverless), words, 'also as ElastiCache Serverless says it');
});

t.test('redis: [R18] a Redis that is no Cluster, or has fewer databases', async (t) => {
  const server = await startRedis(t);
  t.equal(
    await reason(t, server.url.replace('redis:', 'redis+cluster:')),
    'Redis refused (ERR): it is no Cluster; write redis:// in REDIS_URL',
  );
  t.equal(
    await reason(t, `${server.url}/99`),
    'Redis refused (ERR): it has no database of the number in REDIS_URL',
  );
});

t.test('redis: [R18] the word of a refusal', async (t) => {
  const word = (message: string) => refusalOf(Object.assign(new Error(message), { name: 'ReplyError' }));
  t.equal(word('MOVED 5474 10.0.0.7:6379'), 'MOVED');
  t.equal(word('ERR MOVED 5474 10.0.0.7:6379'), 'MOVED');
  t.equal(word('ERR syntax error'), 'ERR');
  t.equal(word('ERR'), 'ERR');
  t.equal(word("READONLY You can't write against a read only replica."), 'READONLY');
  t.equal(word('unheard of'), 'ERR');
  t.equal(refusalOf(new Error('MOVED 1 x')), null);
});
