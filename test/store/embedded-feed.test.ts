import { ClassicLevel } from 'classic-level';
import t, { type Test } from 'tap';
import { EVERYONE } from '../../src/domain/caller.js';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { CorruptRecordError } from '../../src/store/record.js';
import { FEED_MS, type Feed, type Store, StoreUnavailableError } from '../../src/store/store.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER, EVERYTHING, idsOf, LONG } from './fixtures.js';
import { child, create } from './fixtures-embedded.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;

async function open(t: Test, dir: string, now: () => number = Date.now): Promise<Store> {
  const store = await openEmbeddedStore({ dir, now });
  t.teardown(() => store.close());
  return store;
}

/** All that the lists and feeds of the caller say. */
async function told(store: Store) {
  const { found, next } = await store.list(CALLER, EVERYTHING);
  const { changed, last, whole } = await store.feed(CALLER, 0, 99);
  return {
    ...{ next, last, whole, places: changed.map(({ at }) => at) },
    found: found.map(({ avatar, version }) => `${avatar.id} ${avatar.status} ${version}`),
    changed: changed.map(({ avatar, version }) => `${avatar.id} ${version}`),
  };
}

/** The avatars alone. */
async function shown(store: Store) {
  const { found, changed } = await told(store);
  return { found, changed };
}

const brief = ({ changed, whole }: Feed) => ({ changed: idsOf(changed), whole });

/** The database by hand; the store is closed meanwhile. */
async function byHand(dir: string, work: (level: ClassicLevel<string, Buffer>) => Promise<void>) {
  const level = new ClassicLevel<string, Buffer>(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await work(level);
  await level.close();
}

t.test('embedded: lists and feeds are the same after a restart', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  for (const id of ['av_1', 'av_2', 'av_3']) await create(store, id, { externalId: 'order-1' });
  await store.save(avatarOf({ id: 'av_1', status: 'failed', externalId: 'order-1' }), 1, KEEP);
  await store.remove('av_2', 1);
  const before = await told(store);
  t.match(before, { whole: true });
  t.same(before.changed, ['av_3 1', 'av_1 2']);
  await store.close();
  const again = await open(t, dir);
  t.same(await told(again), before);
  const ofOrder = await again.list(CALLER, { ...EVERYTHING, externalId: 'order-1' });
  t.same(idsOf(ofOrder.found), ['av_3', 'av_1']);
});

t.test('embedded: what was created is listed after kill -9', async (t) => {
  const dir = t.testdir();
  const other = child(t, 'create', dir);
  const id = String(await other.says());
  await other.kill();
  t.same(await shown(await open(t, dir)), { found: [`${id} queued 1`], changed: [`${id} 1`] });
});

t.test('embedded: writes that fail change nothing of lists and feeds', async (t) => {
  const store = await open(t, t.testdir());
  for (const id of ['av_1', 'av_2']) await create(store, id);
  const before = await told(store);
  const { batch } = ClassicLevel.prototype;
  const restore = () => Object.assign(ClassicLevel.prototype, { batch });
  t.teardown(restore);
  Object.assign(ClassicLevel.prototype, {
    batch: async () => {
      throw new Error('EIO');
    },
  });
  const results = await Promise.allSettled([
    create(store, 'av_3'),
    store.save(avatarOf({ id: 'av_1', status: 'failed' }), 1, KEEP),
    store.remove('av_2', 1),
  ]);
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  restore();
  const isBack = () =>
    store.ping().then(
      () => true,
      () => null,
    );
  await until('the disk is used again', isBack);
  t.same(await told(store), before);
});

t.test('embedded: a list that cannot be read is unavailable', async (t) => {
  const store = await open(t, t.testdir());
  await create(store, 'av_1');
  const { keys } = ClassicLevel.prototype;
  t.teardown(() => Object.assign(ClassicLevel.prototype, { keys }));
  Object.assign(ClassicLevel.prototype, {
    keys() {
      throw new Error('EIO');
    },
  });
  await t.rejects(store.list(CALLER, EVERYTHING), StoreUnavailableError);
  await t.rejects(store.feed(CALLER, 0, 9), StoreUnavailableError);
});

t.test('embedded: places grow although the clock went back, over a restart too', async (t) => {
  const dir = t.testdir();
  let now = 1_750_000_000_000;
  const store = await open(t, dir, () => now);
  await create(store, 'av_1');
  const { last } = await store.feed(CALLER, null, 9);
  t.equal(last, now * 1000);
  now -= 60_000;
  await create(store, 'av_2');
  await store.remove('av_2', 1);
  await store.close();
  const again = await open(t, dir, () => now);
  await create(again, 'av_3');
  const found = await again.feed(CALLER, last, 9);
  t.same(brief(found), { changed: ['av_3'], whole: true });
  t.same(found.changed[0]?.at, last + 2);
});

t.test('embedded: changes older than a day are forgotten, and that is said', async (t) => {
  const dir = t.testdir();
  let now = 1_750_000_000_000;
  const store = await open(t, dir, () => now);
  for (const id of ['av_1', 'av_2']) await create(store, id);
  await create(store, 'av_other', { caller: 'team-b' });
  const { last: old } = await store.feed(CALLER, null, 9);
  now += FEED_MS - 1;
  await create(store, 'av_3');
  const { last: kept } = await store.feed(CALLER, null, 9);
  const all = { changed: ['av_1', 'av_2', 'av_3'], whole: true };
  t.same(brief(await store.feed(CALLER, 0, 9)), all, 'not before their time');

  now += 3_600_000;
  await create(store, 'av_4');
  t.same(brief(await store.feed(CALLER, old, 9)), { changed: ['av_3', 'av_4'], whole: false });
  t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), ['av_3', 'av_4']);
  t.equal((await store.feed(CALLER, kept, 9)).whole, true);
  t.same(brief(await store.feed('team-b', 0, 9)), { changed: [], whole: false });
  t.equal((await store.list(CALLER, EVERYTHING)).found.length, 4, 'the avatars are there');

  await store.save(avatarOf({ id: 'av_1' }), 1, { ...KEEP, silent: true });
  t.same(idsOf((await store.feed(CALLER, kept, 9)).changed), ['av_4'], 'a silent save is no change');
  await store.save(avatarOf({ id: 'av_1' }), 2, KEEP);
  t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), ['av_3', 'av_4', 'av_1']);

  await store.close();
  now += FEED_MS;
  const again = await open(t, dir, () => now);
  await create(again, 'av_5');
  t.same(idsOf((await again.feed(CALLER, 0, 9)).changed), ['av_1', 'av_5'], 'with the first change');
});

t.test('embedded: an avatar of a release without lists is listed from its next save on', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  await create(store, 'av_1');
  await store.close();
  await byHand(dir, async (level) => {
    const { listing, ...meta } = JSON.parse(String(await level.get('meta!av_1')));
    await level.put('meta!av_1', Buffer.from(JSON.stringify(meta)));
    for await (const name of level.keys()) if (/^(list|feeds?)!/.test(name)) await level.del(name);
    t.match(listing, { status: 'queued' });
  });
  const again = await open(t, dir);
  t.same(await shown(again), { found: [], changed: [] });
  t.match(await again.save(avatarOf({ id: 'av_1', status: 'failed' }), 1, KEEP), { saved: true });
  t.same(await shown(again), { found: ['av_1 failed 2'], changed: ['av_1 2'] });
  t.equal(await again.remove('av_1', 2), true);
  t.same(await shown(again), { found: [], changed: [] });
});

t.test('embedded: whose an avatar is, is what its record says', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  await create(store, 'av_1');
  await create(store, 'av_2', { caller: 'team-b' });
  await store.close();
  await byHand(dir, async (level) => {
    const names = await level.keys().all();
    for (const name of names.filter((each) => /^(list|feed)!.*!av_1$/.test(each))) {
      await level.put(name.replace('av_1', 'av_2'), Buffer.alloc(0));
    }
  });
  const again = await open(t, dir);
  t.same(await shown(again), { found: ['av_1 queued 1'], changed: ['av_1 1'] });
});

t.test('embedded: an entry that leads nowhere is taken out by whoever comes across it', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  for (const id of ['av_1', 'av_2', 'av_3']) await create(store, id);
  await store.close();
  await byHand(dir, async (level) => {
    for (const name of ['avatar!av_1', 'meta!av_1']) await level.del(name);
    await level.put('meta!av_2', Buffer.from('rubbish'));
  });
  const again = await open(t, dir);
  t.same(await shown(again), { found: ['av_3 queued 1'], changed: ['av_3 1'] });
  t.same(again.health(), { corruptRecords: 1 });
  await again.close();
  await byHand(dir, async (level) => {
    const left = (await level.keys().all()).filter((name) => /^(list|feed)!/.test(name));
    t.match(left, [/^feed!.*!av_3$/, /^list!.*!queued!.*!av_3$/]);
    t.equal(left.length, 2);
  });
});

t.test('embedded: places grow over all callers, and over a restart whose clock went back', async (t) => {
  const dir = t.testdir();
  let now = 1_800_000_000_000;
  const store = await open(t, dir, () => now);
  await create(store, 'av_1');
  await create(store, 'av_2', { caller: 'team-b' });
  const { last } = await store.feed(EVERYONE, null, 9);
  t.equal(last, now * 1000 + 1, 'two at one moment');
  await store.close();
  now -= LONG;
  const again = await open(t, dir, () => now);
  await create(again, 'av_3');
  t.match(await again.feed(EVERYONE, last, 9), {
    changed: [{ avatar: { id: 'av_3' }, at: last + 1 }],
    whole: true,
  });
  t.match(await again.feed('team-b', 0, 9), { last, whole: true }, 'others see nothing of it');
});

t.test('embedded: who comes back too late to the feed of everyone is told so', async (t) => {
  let now = 1_800_000_000_000;
  const store = await open(t, t.testdir(), () => now);
  await create(store, 'av_1');
  await create(store, 'av_2', { caller: 'team-b' });
  const { last } = await store.feed(EVERYONE, null, 9);
  await store.save(avatarOf({ id: 'av_1' }), 1, KEEP);
  now += FEED_MS + 1;
  await create(store, 'av_3');
  await until('the old are forgotten', async () => !(await store.feed(CALLER, 0, 9)).whole || null);
  t.same(brief(await store.feed(EVERYONE, last, 1)), { changed: ['av_3'], whole: false });
  await create(store, 'av_4');
  t.same(brief(await store.feed(EVERYONE, last, 1)), { changed: ['av_3'], whole: false });
});

t.test('embedded: what a release left that knew no scopes belongs to whom its record says', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  for (const id of ['av_1', 'av_2', 'av_3']) await create(store, id, { caller: 'team-b' });
  await store.close();
  await byHand(dir, async (level) => {
    const { listing, ...meta } = JSON.parse(String(await level.get('meta!av_1')));
    await level.put('meta!av_1', Buffer.from(JSON.stringify(meta)));
    await level.put('meta!av_2', Buffer.from('rubbish'));
    const feed = `feeds!${listing.caller}`;
    const { last, forgotten } = JSON.parse(String(await level.get(feed)));
    await level.put(feed, Buffer.from(JSON.stringify({ last, forgotten })));
  });
  const again = await open(t, dir);
  for (const id of ['av_1', 'av_2', 'av_3', 'av_4']) t.equal(await again.find(CALLER, id), null);
  t.match(await again.find('team-b', 'av_1'), { avatar: { id: 'av_1' } });
  await t.rejects(again.find('team-b', 'av_2'), CorruptRecordError);
  t.equal(await again.find(CALLER, 'av_2'), null, 'nor when it was set aside');
  t.same(await again.callers(), [], 'nobody wrote the name down');
  t.same(idsOf((await again.feed(EVERYONE, 0, 9)).changed).sort(), ['av_1', 'av_3']);
  await create(again, 'av_4', { caller: 'team-b' });
  t.same(await again.callers(), ['team-b']);
});
