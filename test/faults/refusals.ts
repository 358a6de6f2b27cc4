import { once } from 'node:events';
import { connect } from 'node:net';
import type { Redis } from 'ioredis';
import type { Test } from 'tap';
import { clientOf } from '../store/fixtures-redis.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { DURABLE, isAway, isRefused, ownRedis, underWay } from './outage.js';
import { isPaidOnce, Subject } from './subject.js';
import { isReady, startWorld, type World } from './world.js';

/** A Redis that answers, and refuses. */
export async function refuses(t: Test): Promise<void> {
  const { server, app, client } = await ownRedis(t, { ...DURABLE, args: ['--lua-time-limit', '5'] });
  const during = async (what: string, begin: () => Promise<unknown>, end: () => Promise<unknown>) => {
    const { waiting, posted, goOn } = await underWay(app);
    await begin();
    const refused = await isAway(t, app);
    await goOn();
    t.equal(waiting.posts().length, 1, `${what}: what is due waits for its intent`);
    await end();
    const sent = await posted;
    for (const subject of [sent, waiting]) await isPaidOnce(t, subject);
    const posts = [sent, waiting, refused].map((subject) => subject.posts().length);
    t.same(posts, [1, 2, 0], `${what}: one POST, but for one that Modellix refused`);
  };
  await isFull(t, app, client);

  const follow = (host: string, port: string) => () => client.call('REPLICAOF', host, port);
  await during('READONLY', follow('127.0.0.1', '1'), follow('NO', 'ONE'));

  const script = clientOf(t, server.url);
  const isBusy = () =>
    client.ping().then(
      () => null,
      () => true as const,
    );
  const occupy = async () => {
    script.eval('while true do end', 0).catch(() => {});
    await until('it is busy', isBusy);
  };
  await during('BUSY', occupy, () => client.script('KILL'));
  await loads(t);
}

/** A full Redis refuses what is new alone: what it has goes on, and so makes room. */
async function isFull(t: Test, app: World, client: Redis): Promise<void> {
  const { waiting, posted, goOn } = await underWay(app);
  await client.config('SET', 'maxmemory', '1');
  await isReady(app);
  const refused = await isRefused(t, app);
  await goOn();
  const sent = await posted;
  for (const subject of [sent, waiting]) await isPaidOnce(t, subject);
  const posts = [sent, waiting, refused].map((subject) => subject.posts().length);
  t.same(posts, [1, 2, 0], 'OOM: one POST, but for one that Modellix refused');
  await client.config('SET', 'maxmemory', '0');
}

/** A Redis that takes its time to read what it saved, and refuses everything meanwhile. */
async function loads(t: Test): Promise<void> {
  const slowly = ['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024'];
  const server = await startRedis(t, { args: slowly });
  const app = await startWorld(t, 'redis', { redis: { url: server.url, prefix: 'faults' } });
  const client = clientOf(t, server.url);
  const subject = await Subject.post(app);
  const filling = client.pipeline();
  for (let i = 0; i < 2000; i++) filling.set(`filler-${i}`, 'x'.repeat(100));
  await filling.exec();
  await client.save();
  await server.kill();

  const started = server.start();
  await until('it is loading', async () => ((await says(server.port)).startsWith('-LOADING') ? true : null));
  const refused = await isAway(t, app);
  t.match(await says(server.port), /^-LOADING/, 'all that while');
  await started;
  await isPaidOnce(t, subject);
  t.same([subject.posts().length, refused.posts().length], [1, 0]);
}

/** What Redis answers to a PING, and '' where nobody does. */
async function says(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('PING\r\n');
  const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => ['']);
  socket.destroy();
  return String(answer);
}
