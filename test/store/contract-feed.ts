/** The part of the contract on feeds of changes. */

import type { Avatar } from '../../src/domain/avatar.js';
import type { Change, Feed, Store } from '../../src/store/store.js';
import { until } from '../support/until.js';
import type { Check } from './contract-damage.js';
import { avatarOf, CALLER, claim, dueIn, idsOf, LONG, SUBMISSION } from './fixtures.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;

const create = async (store: Store, id: string, change: Partial<Avatar> = {}) =>
  (await store.admit(avatarOf({ id, ...change }), [SUBMISSION], dueIn(LONG))).avatar;
const save = (store: Store, id: string, version: number, silent = false) =>
  store.save(avatarOf({ id, polls: version }), version, { ...KEEP, silent });
const feed = (store: Store, after: number | null = 0, limit = 99) => store.feed(CALLER, after, limit);
const seen = ({ changed }: Feed) => changed.map(({ avatar, version }) => `${avatar.id} ${version}`);
const lastOf = async (store: Store) => (await feed(store, null)).last;

export function feeds(check: Check): void {
  check('a feed has each avatar once, in the order of their last changes', async (t, { store }) => {
    for (const id of ['av_1', 'av_2', 'av_3']) await create(store, id);
    await create(store, 'av_4', { caller: 'team-b' });
    await save(store, 'av_1', 1);
    const found = await feed(store);
    t.same(seen(found), ['av_2 1', 'av_3 1', 'av_1 2']);
    const [first = 0, second = 0, third = 0] = found.changed.map(({ at }) => at);
    t.ok(0 < first && first < second && second < third);
    t.match(found, { last: third, whole: true });
    t.match(found.changed[2], { avatar: { id: 'av_1', polls: 1 }, version: 2, now: Number });
    t.same(seen(await feed(store, second)), ['av_1 2']);
    t.same(await feed(store, third), { changed: [], last: third, whole: true });
    t.same(await feed(store, null), { changed: [], last: third, whole: true });
    t.equal((await store.feed('team-b', 0, 9)).changed.length, 1);
  });

  check('a feed goes on from the place where it was left', async (t, { store }) => {
    for (let i = 0; i < 5; i++) await create(store, `av_${i}`);
    await save(store, 'av_1', 1);
    const pages: string[][] = [];
    for (let after = 0, whole = false; !whole; ) {
      const { changed, last } = await feed(store, after, 2);
      pages.push(idsOf(changed));
      whole = changed.length < 2;
      after = changed.at(-1)?.at ?? last;
    }
    t.same(pages, [['av_0', 'av_2'], ['av_3', 'av_4'], ['av_1']]);
  });

  check('who listens before there was a change misses none', async (t, { store }) => {
    const last = await lastOf(store);
    t.same(await feed(store, last), { changed: [], last, whole: true });
    await create(store, 'av_1');
    const found = await feed(store, last);
    t.same(seen(found), ['av_1 1']);
    t.equal(found.whole, true);
  });

  check('a silent save keeps its place; so does a claim, and what is not saved', async (t, { store }) => {
    await create(store, 'av_1');
    await store.admit(avatarOf({ id: 'av_2' }), [SUBMISSION], dueIn(0));
    const { last } = await feed(store);
    await save(store, 'av_1', 1, true);
    await save(store, 'av_1', 1);
    await claim(store, null, 1, LONG);
    const found = await feed(store);
    t.same(seen(found), ['av_1 2', 'av_2 2']);
    t.equal(found.last, last);
    await save(store, 'av_1', 2);
    t.same(seen(await feed(store, last)), ['av_1 3']);
  });

  check('a removed avatar leaves the feed, and no place is given twice', async (t, { store }) => {
    await create(store, 'av_1');
    await create(store, 'av_2');
    const { last } = await feed(store);
    await store.remove('av_2', 1);
    t.same(seen(await feed(store)), ['av_1 1']);
    t.equal((await feed(store)).last, last);
    await create(store, 'av_2');
    t.same(seen(await feed(store, last)), ['av_2 1']);
  });

  check('who hears of a change is told its place', async (t, { store }) => {
    const heard: Change[] = [];
    const hears = (count: number) =>
      until('it is heard', async () => heard.length >= count || null, { everyMs: 5 });
    let ready = false;
    const end = store.onChange((change) => {
      if (change !== null && change.id !== 'av_probe') heard.push(change);
      ready = true;
    });
    await create(store, 'av_probe');
    let version = 1;
    const probe = async () => {
      await save(store, 'av_probe', version++);
      return ready || null;
    };
    await until('it listens', probe, { everyMs: 5 });
    await create(store, 'av_1');
    await save(store, 'av_1', 1);
    await save(store, 'av_1', 2, true);
    const at = (await feed(store)).changed.find(({ avatar }) => avatar.id === 'av_1')?.at;
    await store.remove('av_1', 3);
    await hears(3);
    t.equal(heard.length, 3);
    t.match(heard, [
      { id: 'av_1', caller: CALLER, version: 1, at: Number },
      { id: 'av_1', caller: CALLER, version: 2, at },
      { id: 'av_1', caller: CALLER, version: null, at: null },
    ]);
    end();
  });

  check('what cannot be read is passed over in a feed, which is no shorter for it', async (t, opened) => {
    for (let i = 0; i < 6; i++) await create(opened.store, `av_${i}`);
    for (const id of ['av_0', 'av_2']) await opened.raw((raw) => raw.overwrite(id, Buffer.from('rubbish')));
    for (const id of ['av_1', 'av_5']) {
      await opened.raw((raw) => raw.overwrite(id, Buffer.from('9 {"whatever":"a newer release writes"}')));
    }
    for (let i = 0; i < 2; i++) {
      t.same(seen(await feed(opened.store, 0, 2)), ['av_3 1', 'av_4 1']);
      t.same(seen(await feed(opened.store, 0, 3)), ['av_3 1', 'av_4 1']);
    }
    t.same(opened.store.health(), { corruptRecords: 2 });
  });

  check('who follows a feed while many write sees the last of each', async (t, { store }) => {
    let writing = 8;
    const writer = async (_: unknown, n: number): Promise<void> => {
      await create(store, `av_${n}`);
      for (let version = 1; version < 10; version++) await save(store, `av_${n}`, version);
      writing -= 1;
    };
    const writers = Promise.all(Array.from({ length: writing }, writer));
    const followed = new Map<string, number>();
    const places: number[] = [];
    for (let after = 0, done = false; !done; ) {
      const isLast = writing === 0;
      const { changed, last, whole } = await feed(store, after, 3);
      for (const { avatar, version } of changed) followed.set(avatar.id, version);
      places.push(...changed.map(({ at }) => at));
      if (!whole) t.fail('nothing is forgotten');
      after = changed.length < 3 ? last : (changed.at(-1)?.at ?? last);
      done = isLast && changed.length < 3;
    }
    await writers;
    t.same(
      [...followed.values()],
      Array.from({ length: 8 }, () => 10),
    );
    t.same(
      places,
      places.toSorted((a, b) => a - b),
    );
    t.equal(new Set(places).size, places.length, 'no place comes twice');
  });
}
