import { once } from 'node:events';
import { connect } from 'node:net';
import type { Test } from 'tap';
import { clientOf } from '../store/fixtures-redis.js';
import type { RunningApp } from '../support/app.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { isPaidOnce, Subject } from './subject.js';
import { startWorld } from './world.js';

/** A Redis that takes its time to read what it saved, and refuses everything meanwhile. */
export async function loads(t: Test, isAway: (t: Test, app: RunningApp) => Promise<Subject>): Promise<void> {
  const slowly = ['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024'];
  const server = await startRedis(t, { args: slowly });
  const app = await startWorld(t, 'redis', { redis: { url: server.url, prefix: 'faults' } });
  const client = clientOf(t, server.url);
  await until('it is ready', async () => ((await fetch(`${app.url}/readyz`)).ok ? true : null));
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
