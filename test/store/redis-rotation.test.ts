/** Passwords and authorities in files that change while the gateway runs. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openRedisStore } from '../../src/store/redis/redis.js';
import { tempDir } from '../e2e/support.js';
import { certificates } from '../support/certificates.js';
import { startRedis } from '../support/redis.js';
import { command } from '../support/redis-command.js';
import { startSentinels } from '../support/redis-sentinel.js';
import { until } from '../support/until.js';
import { clientOf, heardBy, openConnected, reachable } from './fixtures-redis.js';

t.setTimeout(120_000);

async function fileWith(t: Test, text: string): Promise<string> {
  const file = join(await tempDir(t), 'secret');
  await writeFile(file, text);
  return file;
}

t.test('redis: [R11] the password of a user is changed: new connections have that of the file', async (t) => {
  const { port, url } = await startRedis(t);
  const rule = ['on', '~*', '&*', '+@all'];
  await command(port, {}, 'ACL', 'SETUSER', 'gateway', '>one', ...rule);
  const urlWith = (password: string) => `redis://gateway:${password}@127.0.0.1:${port}`;
  const file = await fileWith(t, `${urlWith('one')}\n`);
  const store = await openConnected(t, { url: urlWith('one'), files: { url: file } });
  t.teardown(store.onChange(() => {}));
  const admin = clientOf(t, url);
  await heardBy(admin, '{avatar-gateway}:changes', 1);
  const kill = () => command(port, {}, 'CLIENT', 'KILL', 'USER', 'gateway');

  await command(port, {}, 'ACL', 'SETUSER', 'gateway', 'resetpass', '>two');
  await kill();
  await until('it says why', () =>
    store.ping().then(
      () => null,
      ({ message }) => message === 'Redis refused (WRONGPASS)' || null,
    ),
  );
  await writeFile(file, urlWith('two'));
  await reachable(store);
  await heardBy(admin, '{avatar-gateway}:changes', 1);

  await writeFile(file, 'redis://half written');
  await kill();
  await reachable(store);
  t.pass('what cannot be understood changes nothing');
});

t.test('redis: [R11] the password of the sentinels is changed', async (t) => {
  const behind = await startSentinels(t, { sentinels: 1, replicas: 0, sentinelPassword: 'one' });
  const file = await fileWith(t, 'one');
  const files = { sentinelPassword: file };
  const store = await openConnected(t, { url: behind.url, sentinelPassword: 'one', files });
  for (const each of behind.sentinels) {
    await behind.sentinel(each, 'ACL', 'SETUSER', 'default', 'resetpass', '>two');
  }
  await writeFile(file, 'two\n');
  await command(behind.servers[0].port, {}, 'CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {});
  await reachable(store);
  await store.ping();
});

t.test('redis: [R11] the authority of the certificates is changed', async (t) => {
  const { ca, args } = await certificates(t);
  const former = await certificates(t);
  const { url } = await startRedis(t, { tls: true, args });
  const file = await fileWith(t, former.ca);
  const store = openRedisStore({ url, tlsCa: former.ca, files: { tlsCa: file } });
  t.teardown(() => store.close());
  await until('it is refused', () =>
    store.ping().then(
      () => null,
      ({ message }) => /\([A-Z_]*(CERT|SIGNATURE)[A-Z_]*\)/.test(message) || null,
    ),
  );
  await writeFile(file, 'no certificate');
  await writeFile(file, ca);
  await reachable(store);
});
