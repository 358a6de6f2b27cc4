/** Reads from memory: never older than is allowed, and none that a change was heard of. */

import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { EVERYONE, type Scope } from '../../src/domain/caller.js';
import { CachedReads } from '../../src/store/cached.js';
import type { Change, Found } from '../../src/store/store.js';
import { startReplicas } from '../support/replicas.js';
import { createAvatar, readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER } from './fixtures.js';

const found = (version: number, status: Avatar['status'] = 'pending'): Found => ({
  avatar: avatarOf({ id: 'av_1', status }),
  version,
  now: 0,
  ahead: null,
});

/** A store whose answers come when they are given. */
function started(t: Test, maxAgeMs: number, hearsAll = false) {
  let now = Math.round(performance.now());
  t.intercept(performance, 'now', { value: () => now, configurable: true });
  const asked: ((found: Found | null) => void)[] = [];
  const known: (number | undefined)[] = [];
  let listener: (change: Change | null) => void = () => undefined;
  const reads = new CachedReads(
    {
      find(_scope, _id, found) {
        known.push(found?.version);
        return new Promise((resolve) => asked.push(resolve));
      },
      onChange(heard) {
        listener = heard;
        return () => undefined;
      },
    },
    { maxAgeMs, hearsAll },
  );
  return {
    read: (scope: Scope = CALLER, id = 'av_1') => reads.find(scope, id),
    asked,
    known,
    async answer(value: Found | null) {
      await turn();
      asked.at(-1)?.(value);
    },
    hear: (id: string | null, caller = CALLER) =>
      listener(id === null ? null : { id, caller, version: 2, at: 1 }),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

t.test('a read is kept as long as it may be, from when it began', async (t) => {
  const { read, asked, answer, pass } = started(t, 100);
  const first = read();
  await turn();
  pass(60);
  await answer(found(1));
  t.equal((await first)?.version, 1);
  pass(39);
  t.equal((await read())?.version, 1);
  t.equal(asked.length, 1);
  pass(2);
  void read();
  await turn();
  t.equal(asked.length, 2);
});

t.test('equal reads at the same time are one, while it is young', async (t) => {
  const { read, asked, answer, pass } = started(t, 100);
  const reads = [read(), read(), read()];
  await turn();
  reads.push(read());
  await turn();
  t.equal(asked.length, 1);
  await answer(found(1));
  t.strictSame(
    (await Promise.all(reads)).map((each) => each?.version),
    [1, 1, 1, 1],
  );
  pass(200);
  const old = read();
  await turn();
  pass(101);
  const young = read();
  await turn();
  t.equal(asked.length, 3);
  asked[2]?.(found(3));
  t.equal((await young)?.version, 3);
  asked[1]?.(found(2));
  t.equal((await old)?.version, 2);
  t.equal((await read())?.version, 3, 'the older one does not take its place');
});

t.test(
  'where none may be old, reads in one turn are one, and the store is asked by what is known',
  async (t) => {
    const { read, asked, answer, known } = started(t, 0);
    const reads = [read(), read()];
    await turn();
    const later = read();
    await turn();
    t.equal(asked.length, 2, 'what was asked before may be of before');
    const before = found(1);
    asked[0]?.(before);
    t.strictSame(await Promise.all(reads), [before, before]);
    asked[1]?.(before);
    await later;
    const same = read();
    await answer(before);
    t.equal(await same, before);
    const changed = read();
    await answer(found(2));
    t.equal((await changed)?.version, 2);
    const last = read();
    await answer(found(2));
    await last;
    t.strictSame(known, [undefined, undefined, 1, 1, 2]);
  },
);

for (const id of ['av_1', null]) {
  const what = id === null ? 'that anything may have changed' : 'a change';
  t.test(`${what} drops what is kept, and what is being read is not kept`, async (t) => {
    const { read, asked, answer, hear } = started(t, 1_000);
    const first = read();
    await turn();
    hear(id);
    const second = read();
    await turn();
    t.equal(asked.length, 2, 'who asks after it reads after it');
    asked[0]?.(found(1));
    t.equal((await first)?.version, 1);
    await answer(found(2));
    t.equal((await second)?.version, 2);
    t.equal((await read())?.version, 2);
    t.equal(asked.length, 2);
    hear('av_2');
    hear('av_1', 'another');
    t.equal((await read())?.version, 2, 'others are none of its business');
    hear(id);
    void read();
    await turn();
    t.equal(asked.length, 3);
  });
}

t.test('where every change is heard of, a read is as good as new until then', async (t) => {
  const { read, asked, answer, hear, pass } = started(t, 0, true);
  const first = read();
  await answer(found(1));
  const { avatar } = (await first) as Found;
  pass(3_600_000);
  t.equal((await read())?.avatar, avatar, 'the very same, and with it what was made of it');
  t.equal(asked.length, 1);
  hear('av_1');
  const second = read();
  await answer(found(2));
  t.equal((await second)?.version, 2);
  t.equal(asked.length, 2);
});

t.test('what is queued is read each time: its place changes with others', async (t) => {
  const { read, asked, answer } = started(t, 0, true);
  for (const status of ['queued', 'queued', 'submitting'] as const) {
    const reading = read();
    await answer(found(1, status));
    t.equal((await reading)?.avatar.status, status);
  }
  t.equal(asked.length, 3);
  await read();
  t.equal(asked.length, 3);
});

t.test('what is not there, and what fails, is not kept; callers are kept apart', async (t) => {
  const { read, asked, answer } = started(t, 1_000);
  const none = read('another');
  await answer(null);
  t.equal(await none, null);
  const some = read();
  await answer(found(1));
  await some;
  void read('another');
  await turn();
  t.equal(asked.length, 3);
});

t.test('what an admin reads is kept apart, and dropped with the same change', async (t) => {
  const { read, asked, answer, hear } = started(t, 1_000);
  const all = read(EVERYONE);
  await answer(found(1));
  await all;
  void read();
  await turn();
  t.equal(asked.length, 2, 'it is not what its caller reads');
  await answer(null);
  t.equal((await read(EVERYONE))?.version, 1);
  hear('av_1');
  void read(EVERYONE);
  await turn();
  t.equal(asked.length, 3);
});

t.test('no id and name together are another id, or another name', async (t) => {
  const { read, asked, answer } = started(t, 1_000);
  const mine = read('a b', 'av_1');
  await answer(found(1));
  await mine;
  const all = read(EVERYONE, 'av_1');
  await answer(found(1));
  await all;
  for (const [scope, id] of [
    ['b', 'av_1 a'],
    ['', 'av_1'],
    [EVERYONE, 'av_1 a b'],
    [EVERYONE, '4 av_1'],
  ] as const) {
    const before = asked.length;
    void read(scope, id);
    await turn();
    t.equal(asked.length, before + 1, id);
  }
});

t.test('redis: with a cache, a change on one replica is read on the other', async (t) => {
  const { one, other } = await startReplicas(t, 'redis', { readStalenessMs: 60_000 });
  const avatar = await createAvatar(one.url);
  const taskId = await until('it has a task', async () => (await readAvatar(other.url, avatar.id)).task_id);
  await readAvatar(one.url, avatar.id);
  one.simulator.settle(taskId, { end: 'success' });
  for (const { url } of [one, other]) {
    await until('it is final', async () => (await readAvatar(url, avatar.id)).completed_at);
  }
  t.equal((await fetch(`${one.url}${avatar.links.self}`, { method: 'DELETE' })).status, 204);
  for (const { url } of [one, other]) {
    await until('it is gone', async () => {
      return (await fetch(`${url}${avatar.links.self}`)).status === 404 ? true : null;
    });
  }
});
