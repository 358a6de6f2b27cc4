/** The part of the contract on scopes: what is another's is not there, and everyone's is all there is. */

import type { Avatar } from '../../src/domain/avatar.js';
import { EVERYONE, type Scope } from '../../src/domain/caller.js';
import { CorruptRecordError } from '../../src/store/record.js';
import {
  type Feed,
  type ListQuery,
  type Place,
  type Store,
  StoreUnavailableError,
} from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, CALLER, dueIn, EVERYTHING, idsOf, LONG, SUBMISSION } from './fixtures.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;
const OTHER = 'team-b: "ü" {x}!\n';
const CORRUPT = Buffer.from('not a record');
const NEWER = Buffer.from('9 {"whatever":"a newer release writes"}');

const create = async (store: Store, id: string, caller: string, change: Partial<Avatar> = {}) =>
  (await store.admit(avatarOf({ id, caller, ...change }), [SUBMISSION], dueIn(LONG))).avatar;
const save = (store: Store, id: string, caller: string, version: number) =>
  store.save(avatarOf({ id, caller, polls: version }), version, KEEP);
const seen = ({ changed }: Feed) => changed.map(({ avatar, version }) => `${avatar.id} ${version}`);

/** Avatars of three callers by turns, made one after the other. */
async function createInTurn(store: Store, count: number): Promise<string[]> {
  const callers = [CALLER, OTHER, 'team-c'];
  for (let i = 0; i < count; i++) await create(store, `av_${i}`, callers[i % 3] ?? '', { createdAt: i });
  return Array.from({ length: count }, (_, i) => `av_${i}`);
}

async function pages(
  store: Store,
  scope: Scope,
  query: Partial<ListQuery>,
  between = async (): Promise<unknown> => null,
): Promise<string[][]> {
  const turned: string[][] = [];
  for (let behind: Place | null = null; ; await between()) {
    const page = await store.list(scope, { ...EVERYTHING, ...query, behind });
    turned.push(idsOf(page.found));
    if (page.next === null) return turned;
    behind = page.next;
  }
}

/** Reads a feed to its end, so many changes at a time. */
async function followed(store: Store, scope: Scope, after: number, limit: number): Promise<string[][]> {
  for (const read: string[][] = []; ; ) {
    const found = await store.feed(scope, after, limit);
    read.push(seen(found));
    if (found.changed.length < limit) return read;
    after = found.changed.at(-1)?.at ?? 0;
  }
}

export function scopes(check: Check): void {
  check("another's avatar is not there, an admin finds it", async (t, { store }) => {
    const avatar = await create(store, 'av_1', CALLER);
    t.equal(await store.find(OTHER, 'av_1'), null);
    t.same(await store.list(OTHER, EVERYTHING), { found: [], next: null });
    t.same(await store.feed(OTHER, 0, 9), { changed: [], last: 0, whole: true });
    t.match(await store.find(CALLER, 'av_1'), { avatar, version: 1, ahead: 0 });
    t.match(await store.find(EVERYONE, 'av_1'), { avatar, version: 1, ahead: 0 });
    t.equal(await store.find(EVERYONE, 'av_2'), null);
  });

  for (const [what, bytes, error] of [
    ['that is corrupt', CORRUPT, CorruptRecordError],
    ["of a newer release's", NEWER, StoreUnavailableError],
  ] as const) {
    check(`another's avatar ${what} is not there, and left as it is`, async (t, opened) => {
      await create(opened.store, 'av_1', CALLER);
      await create(opened.store, 'av_2', OTHER);
      await opened.raw((raw) => raw.overwrite('av_1', bytes));
      t.equal(await opened.store.find(OTHER, 'av_1'), null);
      t.same(idsOf((await opened.store.list(OTHER, EVERYTHING)).found), ['av_2']);
      t.same(seen(await opened.store.feed(OTHER, 0, 9)), ['av_2 1']);
      t.same(await opened.raw((raw) => raw.record('av_1')), bytes);
      t.same(opened.store.health(), { corruptRecords: 0 });
      await t.rejects(opened.store.find(EVERYONE, 'av_1'), error);
      await t.rejects(opened.store.find(CALLER, 'av_1'), error);
      t.equal(await opened.store.find(OTHER, 'av_1'), null, 'nor when it was quarantined');
    });
  }

  check('who ever had an avatar is known, in the order of their names', async (t, { store }) => {
    t.same(await store.callers(), []);
    await create(store, 'av_1', 'team-c');
    await create(store, 'av_2', OTHER);
    await create(store, 'av_3', CALLER);
    await create(store, 'av_4', OTHER);
    await store.remove('av_1', 1);
    t.same(await store.callers(), [CALLER, OTHER, 'team-c']);
  });

  check('a list of everyone has the newest of all callers first, page by page', async (t, { store }) => {
    t.same(await store.list(EVERYONE, EVERYTHING), { found: [], next: null });
    const newest = (await createInTurn(store, 8)).reverse();
    t.same(await pages(store, EVERYONE, {}), [newest]);
    t.same(await pages(store, EVERYONE, { limit: 3 }), [
      newest.slice(0, 3),
      newest.slice(3, 6),
      newest.slice(6),
    ]);
    t.same(
      await pages(store, EVERYONE, { limit: 1 }),
      newest.map((id) => [id]),
    );
    const [first] = (await store.list(EVERYONE, EVERYTHING)).found;
    t.match(first, { avatar: { id: 'av_7', caller: OTHER }, version: 1, ahead: Number });
    t.same(idsOf((await store.list(OTHER, EVERYTHING)).found), ['av_7', 'av_4', 'av_1']);
  });

  check('a list of everyone has filters', async (t, { store }) => {
    await createInTurn(store, 5);
    await create(store, 'av_5', CALLER, { createdAt: 5, externalId: 'order-1' });
    const other = await create(store, 'av_6', OTHER, { createdAt: 6, externalId: 'order-1' });
    await store.save({ ...other, status: 'failed' }, 1, KEEP);
    await store.save(avatarOf({ id: 'av_2', caller: 'team-c', createdAt: 2, status: 'failed' }), 1, KEEP);
    t.same(await pages(store, EVERYONE, { statuses: ['failed'] }), [['av_6', 'av_2']]);
    t.same(await pages(store, EVERYONE, { statuses: ['failed', 'queued'], limit: 5, createdAfter: 0 }), [
      ['av_6', 'av_5', 'av_4', 'av_3', 'av_2'],
      ['av_1'],
    ]);
    t.same(await pages(store, EVERYONE, { externalId: 'order-1', limit: 1 }), [['av_6'], ['av_5']]);
    t.same(await pages(store, EVERYONE, { statuses: ['failed'], externalId: 'order-1' }), [['av_6']]);
  });

  check(
    'who joins, moves or goes while the pages of everyone are turned moves nothing',
    async (t, { store }) => {
      const before = (await createInTurn(store, 9)).reverse();
      let n = 9;
      const turned = await pages(store, EVERYONE, { limit: 2 }, async () => {
        await create(store, `av_${n}`, `team-${n}`, { createdAt: n });
        await store.save(
          avatarOf({ id: 'av_1', caller: OTHER, createdAt: 1, status: 'failed' }),
          n - 8,
          KEEP,
        );
        n += 1;
      });
      t.same(turned.flat(), before);
      await store.remove('av_4', 1);
      t.equal((await pages(store, EVERYONE, { limit: 2 })).flat().includes('av_4'), false);
    },
  );

  check('a feed of everyone has each change once, in one order over all callers', async (t, { store }) => {
    t.same(await store.feed(EVERYONE, null, 9), { changed: [], last: 0, whole: true });
    await createInTurn(store, 7);
    await save(store, 'av_1', OTHER, 1);
    await save(store, 'av_0', CALLER, 1);
    const all = ['av_2 1', 'av_3 1', 'av_4 1', 'av_5 1', 'av_6 1', 'av_1 2', 'av_0 2'];
    const found = await store.feed(EVERYONE, 0, 99);
    t.same(seen(found), all);
    const places = found.changed.map(({ at }) => at);
    t.same(
      places,
      [...new Set(places)].sort((a, b) => a - b),
      'no place is given twice',
    );
    t.match(found, { last: places.at(-1), whole: true });
    for (const limit of [1, 2, 3]) t.same((await followed(store, EVERYONE, 0, limit)).flat(), all);
    t.same(seen(await store.feed(EVERYONE, places[4] ?? 0, 9)), all.slice(5));
    t.same((await followed(store, OTHER, 0, 2)).flat(), ['av_4 1', 'av_1 2'], 'one of them by itself');
    const { last } = await store.feed(EVERYONE, null, 9);
    await store.remove('av_0', 2);
    t.same(await store.feed(EVERYONE, last, 9), { changed: [], last, whole: true });
    await create(store, 'av_9', 'team-z');
    t.same(seen(await store.feed(EVERYONE, last, 9)), ['av_9 1'], 'of who joins, too');
    t.equal((await store.feed(EVERYONE, last + 1e9, 9)).whole, false, 'a place of another store');
  });

  check('what cannot be read is passed over in what everyone has', async (t, opened) => {
    const ids = await createInTurn(opened.store, 6);
    await opened.raw((raw) => raw.overwrite('av_1', CORRUPT));
    await opened.raw((raw) => raw.overwrite('av_2', NEWER));
    const whole = ids.filter((id) => id !== 'av_1' && id !== 'av_2');
    for (let i = 0; i < 2; i++) {
      t.same((await pages(opened.store, EVERYONE, { limit: 2 })).flat(), whole.toReversed());
      t.same(
        (await followed(opened.store, EVERYONE, 0, 2)).flat(),
        whole.map((id) => `${id} 1`),
      );
    }
    t.same(opened.store.health(), { corruptRecords: 1 });
  });

  check('who follows everyone while many callers write sees the last of each', async (t, { store }) => {
    let writing = 8;
    const writer = async (_: unknown, n: number): Promise<void> => {
      await create(store, `av_${n}`, `team-${n}`);
      for (let version = 1; version < 10; version++) await save(store, `av_${n}`, `team-${n}`, version);
      writing -= 1;
    };
    const writers = Promise.all(Array.from({ length: writing }, writer));
    const last = new Map<string, number>();
    const places: number[] = [];
    for (let after = 0, done = false; !done; ) {
      const isLast = writing === 0;
      const found = await store.feed(EVERYONE, after, 3);
      for (const { avatar, version } of found.changed) last.set(avatar.id, version);
      places.push(...found.changed.map(({ at }) => at));
      t.ok(found.whole, 'nothing is forgotten');
      after = found.changed.length < 3 ? found.last : (found.changed.at(-1)?.at ?? after);
      done = isLast && found.changed.length < 3;
    }
    await writers;
    t.same(
      [...last.values()],
      Array.from({ length: 8 }, () => 10),
    );
    t.same(
      places,
      [...new Set(places)].sort((a, b) => a - b),
      'in order, and no place comes twice',
    );
  });
}
