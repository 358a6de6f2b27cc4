/** Readers of event streams that are slow, greedy or have nothing to read. */

import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { EventReader } from '../support/events.js';
import { startReplicas } from '../support/replicas.js';
import { makeLarge, readAll } from '../support/streams.js';
import { until } from '../support/until.js';

t.test('a stream that has nothing to say says so', async (t) => {
  const { one } = await startReplicas(t, 'embedded');
  const reader = await EventReader.open(`${one.url}/avatars/events`);
  await reader.comment();
  reader.drop();
});

/** More than the system takes in for a reader. */
const TOO_MUCH = 400;

t.test('[E8] [F64] who does not read is cut off, and the others are not', async (t) => {
  const { one } = await startReplicas(t, 'embedded', { maxWaiters: 4 });
  const good = await EventReader.open(`${one.url}/avatars/events`);
  const { hostname, port } = new URL(one.url);
  const slow = connect(Number(port), hostname);
  slow.on('error', () => {});
  slow.write('GET /avatars/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
  await once(slow, 'readable'); // and no more than that
  t.equal((await fetch(`${one.url}/avatars/events`)).status, 503, 'both hold a place');

  const made = await makeLarge(one.url, TOO_MUCH, 40);
  await until(
    'there is a place again',
    async () => {
      const third = await fetch(`${one.url}/avatars/events`, { headers: { accept: 'text/event-stream' } });
      await third.body?.cancel();
      return third.status === 200 ? true : null;
    },
    { everyMs: 500, withinMs: 120_000 },
  );
  slow.destroy();
  await readAll(t, good, made);
});

t.test('[E8] [F64] who has read everything is not cut off, however much comes at once', async (t) => {
  const { one } = await startReplicas(t, 'embedded');
  const readers = await Promise.all([1, 2, 3].map(() => EventReader.open(`${one.url}/avatars/events`)));
  const made = await makeLarge(one.url, 256, 64);
  for (const reader of readers) await readAll(t, reader, made);
});

t.test('[F64] who reads slowly gets everything', async (t) => {
  const { one } = await startReplicas(t, 'embedded');
  const reader = await EventReader.open(`${one.url}/avatars/events`);
  const { response } = reader;
  response?.on('data', () => {
    response.pause();
    setTimeout(() => response.resume(), 20);
  });
  const made = await makeLarge(one.url, 400, 40);
  await readAll(t, reader, made);
});
