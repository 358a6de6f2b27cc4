/** The part of the contract on lists. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Avatar, STATUSES, type Status } from '../../src/domain/avatar.js';
import type { ListQuery, Place, Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, CALLER, dueIn, EVERYTHING, idsOf, LONG, SUBMISSION } from './fixtures.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;
const OTHER = 'team-b: "ü" {x}!\n';
const NEWER = Buffer.from('9 {"whatever":"a newer release writes"}');

/** At version 1, or at 2 where it is no longer queued. */
async function create(store: Store, { status = 'queued', ...change }: Partial<Avatar>): Promise<Avatar> {
  const { avatar } = await store.admit(avatarOf(change), [SUBMISSION], dueIn(LONG));
  if (status === 'queued') return avatar;
  await store.save({ ...avatar, status }, 1, KEEP);
  return { ...avatar, status };
}

async function createInTurn(store: Store, count: number, change: Partial<Avatar> = {}): Promise<void> {
  for (let i = 0; i < count; i++) await create(store, { ...change, id: `av_${i}`, createdAt: i });
}

/** Turns all pages; `between` them something is done. */
async function pages(
  store: Store,
  query: Partial<ListQuery>,
  between = async (): Promise<unknown> => null,
): Promise<string[][]> {
  const turned: string[][] = [];
  for (let behind: Place | null = null; ; await between()) {
    const page = await store.list(CALLER, { ...EVERYTHING, ...query, behind });
    turned.push(idsOf(page.found));
    if (page.next === null) return turned;
    behind = page.next;
  }
}

async function all(
  store: Store,
  query: Partial<ListQuery>,
  between?: () => Promise<unknown>,
): Promise<string[]> {
  return (await pages(store, query, between)).flat();
}

export function lists(check: Check): void {
  check('a list has the newest first, and of those of one moment the higher id', async (t, { store }) => {
    for (const [id, createdAt] of [
      ['av_2', 5],
      ['av_9', 4],
      ['av_1', 5],
      ['av_3', 5],
      ['av_0', 1_750_000_000_000],
    ] as const) {
      await create(store, { id, createdAt });
    }
    const sorted = ['av_0', 'av_3', 'av_2', 'av_1', 'av_9'];
    const list = await store.list(CALLER, EVERYTHING);
    t.same(idsOf(list.found), sorted);
    t.match(list, { next: null, found: [{ version: 1, ahead: 4 }, {}, {}, {}, {}] });
    t.same(await pages(store, { limit: 5 }), [sorted], 'nothing follows');
    t.same(await pages(store, { limit: 4 }), [sorted.slice(0, 4), ['av_9']]);
    t.same(
      await pages(store, { limit: 1 }),
      sorted.map((id) => [id]),
    );
  });

  check('a list without anything has no next page', async (t, { store }) => {
    await create(store, { caller: OTHER });
    t.same(await store.list(CALLER, EVERYTHING), { found: [], next: null });
  });

  check('who is created, moved or removed while the pages are turned moves nothing', async (t, { store }) => {
    await createInTurn(store, 12);
    let n = 12;
    const statuses: Status[] = ['submitting', 'failed', 'queued'];
    const before = await all(store, {});
    const turned = await all(store, { limit: 3 }, async () => {
      await create(store, { id: `av_${n}`, createdAt: n });
      for (const [i, status] of statuses.entries()) {
        const [id, createdAt] = [`av_${(n * 4 + i) % 12}`, (n * 4 + i) % 12];
        const found = await store.find(CALLER, id);
        if (found !== null) await store.save(avatarOf({ id, createdAt, status }), found.version, KEEP);
      }
      n += 1;
    });
    t.same(turned, before);
    const without = await all(store, { limit: 3 }, async () => {
      const found = await store.find(CALLER, 'av_4');
      if (found !== null) await store.remove('av_4', found.version);
    });
    const now = await all(store, {});
    t.same(without, now);
    t.equal(now.includes('av_4'), false);
  });

  check('a page ends where it ends although its last avatar is removed', async (t, { store }) => {
    await createInTurn(store, 4);
    const first = await store.list(CALLER, { ...EVERYTHING, limit: 2 });
    t.same(first.next, { createdAt: 2, id: 'av_2' });
    await store.remove('av_2', 1);
    t.same(idsOf((await store.list(CALLER, { ...EVERYTHING, behind: first.next })).found), ['av_1', 'av_0']);
  });

  check('an external id is listed for each caller by itself', async (t, { store }) => {
    const externalId = 'order 17 – 你好!~';
    await create(store, { id: 'av_1', externalId, caller: OTHER });
    await create(store, { id: 'av_2', externalId });
    await create(store, { id: 'av_3', externalId: null });
    await create(store, { id: 'av_4', externalId: `${externalId}!` });
    await create(store, { id: 'av_5', externalId, status: 'failed' });
    t.same(await all(store, { externalId }), ['av_5', 'av_2']);
    t.same(await all(store, { externalId, statuses: ['queued'], limit: 1 }), ['av_2']);
    t.same(idsOf((await store.list(OTHER, { ...EVERYTHING, externalId })).found), ['av_1']);
    t.same(await all(store, { externalId: 'another' }), []);
    t.equal(await store.remove('av_2', 1), true);
    t.same(await all(store, { externalId }), ['av_5']);
  });

  check('a list shows each write that was done before', async (t, { store }) => {
    const stale: string[] = [];
    const writer = async (): Promise<void> => {
      const avatar = await create(store, {});
      const listed = async (status: Status) =>
        (await all(store, { statuses: [status] })).includes(avatar.id) || stale.push(`not ${status}`);
      await listed('queued');
      for (const [i, status] of (['submitting', 'pending', 'failed'] as const).entries()) {
        await store.save({ ...avatar, status }, i + 1, KEEP);
        await listed(status);
      }
      await store.remove(avatar.id, 4);
      if ((await all(store, {})).includes(avatar.id)) stale.push('removed');
    };
    await Promise.all(Array.from({ length: 20 }, writer));
    t.same(stale, []);
  });

  check('who moves between statuses is listed once, whenever a list is read', async (t, { store }) => {
    await createInTurn(store, 3);
    let writing = true;
    const writer = async (): Promise<void> => {
      for (let version = 1; version < 60; version++) {
        const status = version % 2 === 0 ? 'queued' : 'succeeded';
        await store.save(avatarOf({ id: 'av_1', createdAt: 1, status }), version, KEEP);
      }
      writing = false;
    };
    const done = writer();
    const wrong: string[][] = [];
    while (writing) {
      const listed = await all(store, {});
      if (listed.join() !== 'av_2,av_1,av_0') wrong.push(listed);
    }
    await done;
    t.same(wrong, []);
  });

  check('what cannot be read is passed over on a page, which is no shorter for it', async (t, opened) => {
    await createInTurn(opened.store, 12, { externalId: 'order-1' });
    for (const id of ['av_10', 'av_7']) await opened.raw((raw) => raw.overwrite(id, Buffer.from('rubbish')));
    for (const id of ['av_9', 'av_8', 'av_0']) await opened.raw((raw) => raw.overwrite(id, NEWER));
    const readable = ['av_11', 'av_6', 'av_5', 'av_4', 'av_3', 'av_2', 'av_1'];
    const expected = [readable.slice(0, 3), readable.slice(3, 6), readable.slice(6)];
    for (const externalId of [null, 'order-1', null]) {
      t.same(await pages(opened.store, { limit: 3, externalId }), expected);
    }
    t.same(opened.store.health(), { corruptRecords: 2 });
    t.same(await opened.raw((raw) => raw.quarantined('av_7')), Buffer.from('rubbish'));
    t.same(await opened.raw((raw) => raw.record('av_8')), NEWER);
    t.same(await pages(opened.store, { limit: 3 }), expected);
  });

  check('1,000 avatars are listed as a plain array is filtered and sorted', async (t, { store }) => {
    const avatars = fc.sample(anAvatar, { numRuns: 1000, seed: 42 });
    const standing = new Map<string, Avatar>();
    for (let i = 0; i < avatars.length; i += 100) {
      await Promise.all(
        avatars.slice(i, i + 100).map(async ({ removed, moved, ...change }, j) => {
          const avatar = await create(store, { ...change, id: `av_${i + j}` });
          const end = { ...avatar, status: moved ?? avatar.status };
          const version = avatar.status === 'queued' ? 1 : 2;
          if (moved !== null) await store.save(end, version, KEEP);
          if (removed) await store.remove(avatar.id, moved === null ? version : version + 1);
          else standing.set(avatar.id, end);
        }),
      );
    }
    const sorted = [...standing.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
    const check = async (query: ListQuery) => {
      const expected = sorted.filter((avatar) => fits(avatar, query));
      const page = expected.slice(0, query.limit);
      const { id = '', createdAt = 0 } = page.at(-1) ?? {};
      const { found, next } = await store.list(CALLER, query);
      assert.deepEqual(idsOf(found), idsOf(page));
      assert.deepEqual(next, expected.length > page.length ? { createdAt, id } : null);
    };
    await fc.assert(fc.asyncProperty(aQuery, check), { numRuns: 100 });
    for (const limit of [7, 100]) t.same(await all(store, { limit }), idsOf(sorted.filter(isOwn)));
  });
}

const isOwn = ({ caller }: Avatar) => caller === CALLER;
const createdAt = fc.nat(60);
const externalId = fc.constantFrom(null, null, 'order-1', 'order-2');
const status = fc.constantFrom(...STATUSES);
const anAvatar = fc.record({
  createdAt,
  externalId,
  status,
  caller: fc.constantFrom(CALLER, CALLER, OTHER),
  moved: fc.option(status),
  removed: fc.constantFrom(false, false, false, true),
});
const aQuery = fc.record({
  statuses: fc.option(fc.uniqueArray(status, { minLength: 1 })),
  externalId,
  createdAfter: fc.option(fc.oneof(createdAt, fc.constantFrom(-1, 0, 30.5, 1e15))),
  createdBefore: fc.option(fc.oneof(createdAt, fc.constantFrom(-1, 0, 30.5, 1e15))),
  behind: fc.option(fc.record({ createdAt, id: fc.nat(1000).map((n) => `av_${n}`) })),
  limit: fc.integer({ min: 1, max: 100 }),
});

function fits(avatar: Avatar, query: ListQuery): boolean {
  const { statuses, externalId, createdAfter, createdBefore, behind } = query;
  return (
    isOwn(avatar) &&
    (statuses?.includes(avatar.status) ?? true) &&
    (externalId === null || externalId === avatar.externalId) &&
    (createdAfter === null || avatar.createdAt > createdAfter) &&
    (createdBefore === null || avatar.createdAt < createdBefore) &&
    (behind === null ||
      avatar.createdAt < behind.createdAt ||
      (avatar.createdAt === behind.createdAt && avatar.id < behind.id))
  );
}
