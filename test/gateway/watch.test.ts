/** Who watches is told of each change, at the price of one read; who waits without a change costs none. */

import t, { type Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { EVERYONE, type Scope } from '../../src/domain/caller.js';
import type { VersionedSnapshot } from '../../src/gateway/view.js';
import { followAll } from '../../src/gateway/watch/follow.js';
import { until } from '../../src/gateway/watch/until.js';
import { Watch } from '../../src/gateway/watch/watch.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { type Change, type Found, type Store, StoreUnavailableError } from '../../src/store/store.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from '../store/fixtures.js';
import { until as eventually } from '../support/until.js';

const see = ({ avatar, version }: Found): VersionedSnapshot => ({ avatar, version, queue: null });
const NEVER = () => false;
const HOUR_MS = 3_600_000;
/** Of a follower that takes whatever it is told. */
const READS = {
  reader: { isBehind: false, drained: async () => true },
  ended(error?: unknown): void {
    if (error !== undefined) throw error;
  },
};

/** A store whose reads are counted, and fail while it is said to be away. */
async function started(t: Test) {
  const real = await openSqliteStore({ dir: t.testdir() });
  const counts = { find: 0, feed: 0, atOnce: 0, most: 0 };
  let away = false;
  const listeners = new Set<(change: Change | null) => void>();
  const counted = async <T>(what: 'find' | 'feed', read: () => Promise<T>): Promise<T> => {
    counts[what] += 1;
    counts.atOnce += 1;
    counts.most = Math.max(counts.most, counts.atOnce);
    try {
      if (away) throw new StoreUnavailableError('away');
      return await read();
    } finally {
      counts.atOnce -= 1;
    }
  };
  const store: Pick<Store, 'find' | 'feed' | 'onChange'> = {
    find: (caller, id) => counted('find', () => real.find(caller, id)),
    feed: (caller, after, limit) => counted('feed', () => real.feed(caller, after, limit)),
    onChange(listener) {
      listeners.add(listener);
      const end = real.onChange((change) => !away && listener(change));
      return () => {
        listeners.delete(listener);
        end();
      };
    },
  };
  const watch = new Watch({ store, see, random: () => 0 });
  t.teardown(async () => {
    watch.close();
    await real.close();
  });
  const sources = { store, see, watch };
  async function create(change: Partial<Avatar> = {}) {
    let { avatar, version } = await real.admit(avatarOf(change), [SUBMISSION], dueIn(LONG));
    async function save(change: Partial<Avatar>) {
      avatar = { ...avatar, ...change };
      const saved = await real.save(avatar, version, { dueInMs: LONG, submission: 'keep' });
      if (!saved.saved) throw new Error(saved.reason);
      version = saved.version;
    }
    // Where one stands in the queue takes a read of its own.
    await save({ status: 'pending' });
    return {
      id: avatar.id,
      write: (prompt: string) => save({ prompt }),
      remove: () => real.remove(avatar.id, version),
    };
  }
  return {
    watch,
    counts,
    sources,
    create,
    wait: (id: string, isDone: (avatar: Avatar) => boolean, withinMs = HOUR_MS) =>
      until(sources, CALLER, id, { withinMs }, isDone),
    /** Words may have been lost. */
    doubt() {
      for (const listener of listeners) listener(null);
    },
    setAway: (is: boolean) => {
      away = is;
    },
  };
}

const isCalled = (name: string) => (avatar: Avatar) => avatar.prompt === name;
/** So that what is not to happen has had its time. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 600));

t.test(
  'a thousand who wait cost one read each, none while nothing changes, and one for all of them',
  async (t) => {
    const { counts, create, wait, sources } = await started(t);
    const { id, write } = await create();
    const others = await Promise.all(Array.from({ length: 500 }, () => create()));
    const waits = [
      ...Array.from({ length: 500 }, () => wait(id, isCalled('new'))),
      ...others.map(({ id }) => wait(id, NEVER, 700)),
    ];
    await eventually('all have read', async () => (counts.find === 1_000 ? true : null));
    await aWhile();
    t.equal(counts.find, 1_000);
    await write('another');
    await write('new');
    const found = await Promise.all(waits.slice(0, 500));
    t.ok(found.every((each) => each?.avatar.prompt === 'new'));
    t.ok(counts.find <= 1_002, `${counts.find - 1_000} for two changes`);
    await Promise.all(waits);
    t.ok(counts.find <= 1_002, 'nor does the end of a wait cost any');
    t.equal(sources.watch.ids.size, 0, 'nobody is left behind');
  },
);

t.test('a change between the word and the read, or during it, is not missed', async (t) => {
  const { create, sources } = await started(t);
  const { id, write } = await create();
  const { store } = sources;
  let reads = 0;
  const find: Store['find'] = async (caller, id) => {
    const found = await store.find(caller, id);
    reads += 1;
    if (reads === 1) await write('new'); // after the state was read, before it is known
    return found;
  };
  const seen = await until(
    ...[{ ...sources, store: { ...store, find } }, CALLER, id, { withinMs: HOUR_MS }, isCalled('new')],
  );
  t.equal(seen?.avatar.prompt, 'new');
});

t.test('it ends on time with the last known state, where the store is away too', async (t) => {
  const { create, wait, setAway } = await started(t);
  const { id } = await create({ prompt: 'old' });
  const waiting = wait(id, NEVER, 300);
  await new Promise(setImmediate);
  setAway(true);
  t.equal((await waiting)?.avatar.prompt, 'old');
  await t.rejects(wait(id, NEVER, 300), StoreUnavailableError, 'who never knew has no answer');
});

t.test('what could not be read is read again, and words that were lost are made up for', async (t) => {
  const { create, wait, setAway, doubt, counts } = await started(t);
  const { id, write } = await create();
  const waiting = wait(id, isCalled('new'));
  await eventually('it is read', async () => (counts.find > 0 ? true : null));
  setAway(true);
  await write('new');
  doubt(); // and this read fails
  await eventually('it is tried', async () => (counts.find > 1 ? true : null));
  setAway(false);
  t.equal((await waiting)?.avatar.prompt, 'new');
});

t.test('all that is watched is read again in doubt, a few at once', async (t) => {
  const { create, wait, doubt, counts } = await started(t);
  const avatars = await Promise.all(Array.from({ length: 200 }, () => create()));
  const waits = avatars.map(({ id }) => wait(id, NEVER, 3_000));
  await eventually('all have read', async () => (counts.find === 200 && counts.atOnce === 0 ? true : null));
  counts.most = 0;
  doubt();
  await eventually('all are read again', async () => (counts.find >= 400 ? true : null));
  await aWhile();
  t.equal(counts.find, 400);
  t.ok(counts.most <= 8, `${counts.most} at once`);
  await Promise.all(waits);
});

t.test('a removal is told, and what is not there is not waited for', async (t) => {
  const { create, wait, counts } = await started(t);
  const avatar = await create();
  const waiting = wait(avatar.id, NEVER);
  await eventually('it is read', async () => (counts.find > 0 ? true : null));
  await avatar.remove();
  t.equal(await waiting, null);
  t.equal(await wait('av_0', NEVER), null);
});

t.test('who was told of a removal is not told of what was read before it', async (t) => {
  const { create, sources } = await started(t);
  const avatar = await create();
  const read = await sources.store.find(CALLER, avatar.id);
  let told: ((seen: VersionedSnapshot | null) => void) | undefined;
  const watch = {
    avatar: (...[scope, id, watcher]: Parameters<Watch['avatar']>) => {
      told = (seen) => watcher.told(seen);
      return sources.watch.avatar(scope, id, watcher);
    },
    retry: () => undefined,
    closed: false,
  };
  const waiting = until({ ...sources, watch }, CALLER, avatar.id, { withinMs: HOUR_MS }, NEVER);
  await aWhile();
  told?.(null);
  told?.(read && see(read));
  t.equal(await waiting, null);
});

t.test('another caller is told nothing', async (t) => {
  const { create, wait, sources, counts } = await started(t);
  const { id, write } = await create();
  const mine = wait(id, isCalled('new'));
  await eventually('it is read', async () => (counts.find > 0 ? true : null));
  const told: unknown[] = [];
  const leave = sources.watch.avatar('another', id, {
    told: (seen) => told.push(seen),
    ended: () => undefined,
  });
  t.equal(await until(sources, 'another', id, { withinMs: HOUR_MS }, NEVER), null);
  await write('new');
  t.equal((await mine)?.avatar.prompt, 'new');
  t.notOk(told.some((each) => each !== null));
  leave();
});

t.test('who goes away is let go, and so is everybody at the end', async (t) => {
  const { create, wait, sources, watch } = await started(t);
  const { id } = await create({ prompt: 'old' });
  let left: Promise<VersionedSnapshot | null> = Promise.resolve(null);
  const leave = await new Promise<() => void>((leaving) => {
    left = until(sources, CALLER, id, { withinMs: HOUR_MS, leaving }, NEVER);
  });
  const waiting = wait(id, NEVER);
  await aWhile();
  leave();
  t.equal((await left)?.avatar.prompt, 'old');
  t.equal(watch.ids.size, 1);
  watch.close();
  t.equal((await waiting)?.avatar.prompt, 'old');
  t.equal((await wait(id, NEVER))?.avatar.prompt, 'old', 'nor does anybody wait from then on');
  t.equal(watch.ids.size, 0);
});

t.test('a change costs one read for all who follow all, and one for all who follow the one', async (t) => {
  const { create, wait, sources, counts } = await started(t);
  const { id, write } = await create();
  const told: (string | null)[] = [];
  const leave = await followAll(sources, CALLER, null, () => ({
    changed: (_at, seen) => told.push(seen.avatar.prompt),
    removed: () => undefined,
    lost: () => undefined,
    ...READS,
  }));
  const waiting = wait(id, isCalled('new'));
  await eventually('it is read', async () => (counts.find > 0 ? true : null));
  await aWhile();
  const before = { ...counts };
  await write('new');
  t.equal((await waiting)?.avatar.prompt, 'new');
  await eventually('it is told', async () => (told.length > 0 ? true : null));
  t.strictSame(told, ['new']);
  t.equal(counts.find, before.find + 1);
  t.equal(counts.feed, before.feed + 1);

  await t.test('also where the ones who follow all leave before it is read', async (t) => {
    const waiting = wait(id, isCalled('newest'));
    await eventually('it is read', async () => (counts.find > before.find ? true : null));
    await aWhile();
    const writing = write('newest');
    const end = sources.store.onChange(() => leave());
    await writing;
    t.equal((await waiting)?.avatar.prompt, 'newest');
    end();
  });
});

/** Follows all avatars within a scope; `told` is what it was told. */
async function following(
  sources: Parameters<typeof followAll>[0],
  scope: Scope,
  after: number | null = null,
) {
  const told: string[] = [];
  const leave = await followAll(sources, scope, after, () => ({
    changed: (_at, { avatar }) => told.push(`${avatar.id} ${avatar.prompt}`),
    removed: (id) => told.push(`${id} removed`),
    lost: () => told.push('lost'),
    ...READS,
  }));
  return { told, leave };
}

t.test(
  'who follows everyone is told of every caller, of what was and of what is, in one order',
  async (t) => {
    const { create, sources } = await started(t);
    const mine = await create({ id: 'av_1', prompt: 'old' });
    const theirs = await create({ id: 'av_2', prompt: 'old', caller: 'team-b' });
    const [past, all] = [await following(sources, EVERYONE, 0), await following(sources, EVERYONE)];
    const [own, others] = [await following(sources, CALLER), await following(sources, 'team-b')];
    const hears = (who: { told: string[] }, count: number) =>
      eventually('it is told', async () => who.told.length >= count || null);
    await hears(past, 2);
    t.strictSame(past.told, ['av_1 old', 'av_2 old']);
    await theirs.write('new');
    await hears(all, 1);
    await mine.write('new');
    await hears(all, 2);
    await theirs.remove();
    await Promise.all([hears(all, 3), hears(past, 5), hears(own, 1), hears(others, 2)]);
    t.strictSame(all.told, ['av_2 new', 'av_1 new', 'av_2 removed']);
    t.strictSame(past.told.slice(2), all.told);
    t.strictSame(own.told, ['av_1 new'], 'nothing of others');
    t.strictSame(others.told, ['av_2 new', 'av_2 removed']);

    all.leave();
    await mine.write('newest');
    await hears(own, 2);
    await hears(past, 6);
    t.equal(all.told.length, 3, 'who left is told no more');
  },
);

t.test('[E8] [F64] who is behind is told the rest once it has drained, as it is by then', async (t) => {
  const { create, sources, counts } = await started(t);
  const avatars = [];
  for (let n = 0; n < 30; n++) avatars.push(await create({ id: `av_${n}`, prompt: 'old' }));
  const told: string[] = [];
  let drain = () => {};
  const slow = { isBehind: true, drained: Promise.resolve(true) };
  slow.drained = new Promise((resolve) => {
    drain = () => resolve(true);
  });
  const leave = await followAll(sources, EVERYONE, null, () => ({
    ...READS,
    changed: (_at, { avatar }) => told.push(`${avatar.id} ${avatar.prompt}`),
    removed: (id) => told.push(`${id} removed`),
    lost: () => told.push('lost'),
    reader: {
      get isBehind() {
        return slow.isBehind;
      },
      drained: () => slow.drained,
    },
  }));
  const quick = await following(sources, EVERYONE);
  for (const { write } of avatars) await write('new');
  await avatars[0]?.remove();
  await eventually('the quick one is told', async () => quick.told.length >= 31 || null);
  t.strictSame(told, ['av_0 removed']);
  for (const { write } of avatars.slice(1)) await write('newest');
  await eventually('the quick one is told', async () => quick.told.length >= 60 || null);
  const before = counts.feed;
  slow.isBehind = false;
  drain();
  await eventually('the slow one is told', async () => told.length >= 30 || null);
  t.strictSame(
    told.slice(1),
    avatars.slice(1).map(({ id }) => `${id} newest`),
    'each once, in order',
  );
  t.ok(counts.feed - before <= 3, 'a page at a time');
  await avatars[1]?.write('last');
  await eventually('it goes on', async () => (told.at(-1) === 'av_1 last' ? true : null));
  leave();
});

t.test('[E8] one that is behind when the store goes away hears of it', async (t) => {
  const { create, sources } = await started(t);
  const { write } = await create();
  let failure: unknown;
  const leave = await followAll(
    {
      ...sources,
      store: {
        ...sources.store,
        feed: async (...args) => {
          if (args[2] > 1) throw new StoreUnavailableError('away');
          return sources.store.feed(...args);
        },
      },
    },
    EVERYONE,
    null,
    () => ({
      ...READS,
      reader: { ...READS.reader, isBehind: true },
      changed: () => undefined,
      removed: () => undefined,
      lost: () => undefined,
      ended(error) {
        failure = error;
      },
    }),
  );
  await write('new');
  await eventually('it is told', async () => failure ?? null);
  t.match(failure, StoreUnavailableError);
  leave();
});

for (const beside of [
  [EVERYONE],
  [CALLER, EVERYONE],
  [EVERYONE, CALLER],
  ['another', EVERYONE],
] as const satisfies readonly (readonly Scope[])[]) {
  const names = beside.map((scope) => (scope === EVERYONE ? 'everyone' : scope)).join(', then ');
  t.test(`an avatar that is watched alone is told of beside who follows ${names}`, async (t) => {
    const { create, sources, counts, watch } = await started(t);
    const { id, write, remove } = await create({ prompt: 'old' });
    const followers: { leave(): void }[] = [];
    for (const scope of beside) followers.push(await following(sources, scope));
    const waits = (name: string) =>
      ([CALLER, EVERYONE] as const).map((scope) =>
        until(sources, scope, id, { withinMs: HOUR_MS }, isCalled(name)),
      );
    const first = waits('new');
    await eventually('they have read', async () => counts.find >= 2 || null);
    await write('new');
    for (const seen of await Promise.all(first)) t.equal(seen?.avatar.prompt, 'new');

    const before = counts.find;
    const second = waits('newest');
    await eventually('they have read again', async () => counts.find >= before + 2 || null);
    const writing = write('newest');
    const end = sources.store.onChange(() => {
      for (const { leave } of followers) leave();
    });
    await writing;
    for (const seen of await Promise.all(second))
      t.equal(seen?.avatar.prompt, 'newest', 'although they left');
    end();

    const third = waits('never');
    await eventually('they have read once more', async () => watch.ids.has(id) || null);
    await aWhile();
    await remove();
    t.strictSame(await Promise.all(third), [null, null]);
    t.equal(watch.ids.size, 0);
  });
}
