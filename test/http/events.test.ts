/** Event streams over real connections, on both stores, between two replicas where there are two. */

import t from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { startSimulator } from '../simulator/simulator.js';
import type { RunningApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { EventReader } from '../support/events.js';
import { startRedis } from '../support/redis.js';
import { type Replicas, reached, STORES, startReplicas } from '../support/replicas.js';
import { createAvatar, readAvatar, submitted, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const settle = async ({ one }: Replicas, { id }: AvatarView) => {
  const taskId = await until(`${id} has a task`, async () => (await readAvatar(one.url, id)).task_id);
  one.simulator.settle(taskId, { end: 'success' });
};
const isFinal = ({ avatar }: { avatar: AvatarView }) => avatar.completed_at !== null;
const final = (app: RunningApp, id: string) =>
  until(`${id} is final`, async () => {
    const avatar = await readAvatar(app.url, id);
    return avatar.completed_at === null ? null : avatar;
  });
const remove = async (app: RunningApp, avatar: AvatarView) => {
  const response = await fetch(`${app.url}${avatar.links.self}`, { method: 'DELETE' });
  if (response.status !== 204) throw new Error(`${response.status}: ${await response.text()}`);
};

for (const store of STORES) {
  t.test(`${store}: an avatar is followed`, async (t) => {
    const replicas = await startReplicas(t, store);
    const { one, other } = replicas;
    const open = (avatar: AvatarView, lastId?: string) =>
      EventReader.open(`${other.url}${avatar.links.events}`, lastId);

    await t.test('from how it is to its end, which ends the stream', async (t) => {
      const avatar = await createAvatar(one.url);
      const reader = await open(avatar);
      t.equal(reader.status, 200);
      t.match(reader.response?.headers, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
        'x-request-id': String,
      });
      const first = await reader.next();
      t.match(first, { event: 'avatar', avatar: { id: avatar.id, task_id: avatar.task_id } });
      await settle(replicas, avatar);
      const rest = await reader.rest();
      const last = rest.at(-1);
      t.strictSame(last?.avatar, await readAvatar(one.url, avatar.id), 'as it is read');
      t.ok([first, ...rest].filter((each) => each && isFinal(each)).length === 1);

      const again = await open(avatar, last?.id);
      t.equal(again.status, 204, 'who had the end is not told again');
      const behind = await open(avatar, first?.id);
      t.strictSame(
        (await behind.rest()).map(({ id }) => id),
        [last?.id],
      );
      const fresh = await open(avatar);
      t.strictSame(
        (await fresh.rest()).map(({ id }) => id),
        [last?.id],
      );
    });

    await t.test('who comes back to what it had is told of what is new only', async (t) => {
      const avatar = await createAvatar(one.url);
      const reader = await open(avatar);
      const read = await reader.find((each) => each.avatar.status === 'pending');
      reader.drop();
      const back = await open(avatar, read.id);
      await settle(replicas, avatar);
      const rest = await back.rest();
      t.strictSame(
        rest.map((each) => each.avatar.status),
        ['succeeded'],
      );
    });

    await t.test('to its removal', async (t) => {
      const avatar = await createAvatar(one.url, { ...URLS });
      const reader = await open(avatar);
      const feed = await EventReader.open(`${other.url}/avatars/events`);
      await settle(replicas, avatar);
      t.ok((await reader.rest()).some(isFinal));
      await remove(one, avatar);
      const deleted = await feed.find(({ event }) => event === 'deleted');
      t.strictSame(JSON.parse(deleted.data), { id: avatar.id });
      t.equal(deleted.id, undefined, 'it has no place to go on from');
      t.equal((await open(avatar)).status, 404);
      feed.drop();
    });

    await t.test('what is not there is not', async (t) => {
      const response = await fetch(`${other.url}/avatars/av_0/events`);
      t.equal(response.status, 404);
      t.match(response.headers.get('content-type'), 'application/problem+json');
      const head = await fetch(`${other.url}/avatars/av_0/events`, { method: 'HEAD' });
      t.equal(head.status, 405);
      const json = await fetch(`${other.url}/avatars/events`, { headers: { accept: 'application/json' } });
      t.equal(json.status, 406);
    });
  });

  t.test(`${store}: all avatars are followed`, async (t) => {
    const replicas = await startReplicas(t, store);
    const { one, other } = replicas;
    const open = (lastId?: string) => EventReader.open(`${other.url}/avatars/events`, lastId);

    await t.test('from now on, in one order for everybody', async (t) => {
      const before = await createAvatar(one.url);
      await until('it has a task', async () => (await readAvatar(one.url, before.id)).task_id);
      const readers = await Promise.all([open(), open(), open()]);
      const avatars = await Promise.all(Array.from({ length: 5 }, () => createAvatar(one.url)));
      for (const avatar of avatars) await settle(replicas, avatar);
      const told = await Promise.all(
        readers.map(async (reader) => {
          const ids: string[] = [];
          const open = new Set(avatars.map(({ id }) => id));
          while (open.size > 0) {
            const event = await reader.next();
            if (event === null) throw new Error('it ended');
            ids.push(String(event.id));
            t.not(event.avatar.id, before.id, 'what was before is not told');
            if (isFinal(event)) open.delete(event.avatar.id);
          }
          reader.drop();
          return ids;
        }),
      );
      for (const ids of told) {
        t.strictSame(
          ids,
          [...new Set(ids)].sort((a, b) => Number(a) - Number(b)),
        );
        t.equal(ids.at(-1), told[0]?.at(-1));
      }
    });

    await t.test('nothing is lost by connections that drop, before the first event too', async (t) => {
      const first = await open();
      const lastId =
        first.lastId ?? (await until('it is told where it is', async () => first.lastId ?? null));
      first.drop();
      const avatars = await Promise.all(Array.from({ length: 30 }, () => createAvatar(one.url)));
      for (const avatar of avatars) await settle(replicas, avatar);
      await Promise.all(avatars.map(({ id }) => final(one, id)));
      const ended = new Set<string>();
      const places: number[] = [];
      for (let id: string | undefined = lastId; ended.size < avatars.length; ) {
        const reader: EventReader = await open(id);
        for (let n = 0; n < 7; n++) {
          const event = await reader.next();
          if (event === null) throw new Error('it ended');
          places.push(Number(event.id));
          if (isFinal(event)) ended.add(event.avatar.id);
          if (ended.size === avatars.length) break;
        }
        id = String(places.at(-1));
        reader.drop();
      }
      t.strictSame(
        places,
        [...new Set(places)].sort((a, b) => a - b),
        'each once, in order',
      );
    });

    await t.test(
      'who comes back too late, or with what it never had, is told to read the list',
      async (t) => {
        for (const lastId of ['nonsense', '9'.repeat(30), '-1']) {
          const reader = await open(lastId);
          const reset = await reader.next();
          t.match(reset, { event: 'reset', data: '{}' }, lastId);
          const avatar = await createAvatar(one.url);
          const next = await reader.next();
          t.equal(next?.avatar.id, avatar.id);
          t.ok(Number(next?.id) > Number(reset?.id));
          reader.drop();
        }
      },
    );

    await t.test('a single one beside all of them', async (t) => {
      const avatar = await createAvatar(one.url);
      const all = await open();
      const single = await EventReader.open(`${other.url}${avatar.links.events}`);
      await settle(replicas, avatar);
      t.ok((await single.rest()).some(isFinal));
      await all.find(isFinal);
      all.drop();
    });
  });

  t.test(`${store}: streams end when the gateway stops`, async (t) => {
    const { one, other } = await startReplicas(t, store);
    const avatar = await createAvatar(one.url);
    const readers = [
      await EventReader.open(`${other.url}/avatars/events`),
      await EventReader.open(`${other.url}${avatar.links.events}`),
    ];
    const begun = performance.now();
    await other.close();
    for (const reader of readers) await reader.rest();
    t.ok(performance.now() - begun < 10_000);
  });
}

t.test('redis: nothing is lost by a Redis that goes away and comes back', async (t) => {
  const redis = await startRedis(t, { appendonly: true, args: ['--appendfsync', 'always'] });
  const simulator = await startSimulator({
    settings: { taskMs: { min: 3_600_000, max: 3_600_000 }, callsPerMinute: 1e6, concurrency: 1e6 },
  });
  t.teardown(() => simulator.close());
  const shared = { beside: simulator, redis: { url: redis.url, prefix: 'test' } };
  const [one, other] = await Promise.all([startApp(t, shared), startApp(t, shared)]);
  await until('both are ready', async () => {
    const ready = await Promise.all([one, other].map(({ url }) => fetch(`${url}/readyz`)));
    return ready.every(({ ok }) => ok) ? true : null;
  });
  const avatars = await Promise.all(
    Array.from({ length: 10 }, async () => submitted(one.url, (await createAvatar(one.url)).id)),
  );
  const all = await EventReader.open(`${other.url}/avatars/events`);
  const single = await EventReader.open(`${other.url}${avatars[0]?.links.events}`);
  const waiting = fetch(`${other.url}${avatars[1]?.links.self}`, { headers: { prefer: 'wait=60' } });
  await reached(other, String(avatars[1]?.links.self));
  await readAvatar(other.url, String(avatars[1]?.id)); // So it was read for the other as well, and that one waits.
  await redis.kill();
  for (const avatar of avatars) simulator.settle(String(avatar.task_id), { end: 'success' });
  await redis.start();
  t.ok((await single.rest()).some(isFinal));
  t.match(await (await waiting).json(), { status: 'succeeded' });
  const open = new Set(avatars.map(({ id }) => id));
  while (open.size > 0) open.delete((await all.find(isFinal)).avatar.id);
  all.drop();
});
