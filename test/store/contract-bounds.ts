/** The part of the contract on how much one read may read, whatever there is. */

import type { Avatar } from '../../src/domain/avatar.js';
import { EVERYONE } from '../../src/domain/caller.js';
import { canceled } from '../../src/domain/moves.js';
import type { ListQuery, Place, Store } from '../../src/store/store.js';
import type { Check, Opened } from './contract-damage.js';
import { avatarOf, CALLER, dueIn, EVERYTHING, idsOf, LONG, SUBMISSION } from './fixtures.js';

const OTHERS = 3_000;
/** About a thousand entries, and what goes with reading them. */
const COMMANDS = 1_500;
const ENDING = { now: 0, retentionMs: LONG };

/** Does work for each number up to one, some at a time. */
async function each(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let n = 0;
  const worker = async () => {
    while (n < count) await work(n++);
  };
  await Promise.all(Array.from({ length: 50 }, worker));
}

async function cancel(store: Store, avatar: Avatar): Promise<void> {
  await store.admit(avatar, [SUBMISSION], dueIn(LONG));
  await store.save(canceled(avatar, ENDING), 1, { dueInMs: LONG, submission: 'drop' });
}

/** No one page of these takes more commands than it may; says what all of them have. */
async function boundedPages(
  opened: Opened,
  query: ListQuery,
): Promise<{ ids: string[]; pages: number; most: number }> {
  const ids: string[] = [];
  let [pages, most] = [0, 0];
  for (let behind: Place | null = null; ; ) {
    let page = await opened.store.list(CALLER, { ...query, behind });
    const again = async () => {
      page = await opened.store.list(CALLER, { ...query, behind });
    };
    most = Math.max(most, (await opened.commands?.(again)) ?? 0);
    ids.push(...idsOf(page.found));
    pages += 1;
    if (page.next === null) return { ids, pages, most };
    behind = page.next;
  }
}

export function boundedReads(check: Check): void {
  check('[B6] [F52] a page by external id and status does not read all others', async (t, opened) => {
    const externalId = 'order-1';
    const wanted = ['av_wanted_2', 'av_wanted_1'];
    for (const [i, id] of wanted.entries()) {
      const avatar = avatarOf({ id, externalId, createdAt: 10 - i });
      await opened.store.admit(avatar, [SUBMISSION], dueIn(LONG));
    }
    await each(OTHERS, (n) => cancel(opened.store, avatarOf({ externalId, createdAt: 1_000 + n })));
    const query = { ...EVERYTHING, externalId, statuses: ['queued' as const], limit: 1 };
    const { ids, pages, most } = await boundedPages(opened, query);
    t.same(ids, wanted);
    t.ok(pages <= 8, `${pages} pages`);
    t.ok(most <= COMMANDS, `${most} commands`);
    const whole = await boundedPages(opened, { ...query, limit: 100 });
    t.same(whole.ids, wanted);
    t.ok(whole.most <= COMMANDS, `${whole.most} commands`);
    const none = await boundedPages(opened, { ...query, statuses: ['failed', 'timed_out'] });
    t.same(none.ids, []);
    t.ok(none.most <= COMMANDS, `${none.most} commands`);
    const between = { ...query, createdAfter: 1_000 + OTHERS / 2, createdBefore: 1_003 + OTHERS / 2 };
    t.same((await boundedPages(opened, between)).ids, []);
    const two = await boundedPages(opened, { ...between, statuses: ['queued', 'canceled'] });
    t.equal(two.ids.length, 2);
  });

  check('[B10] [F52] what everyone has is read without asking for each caller', async (t, opened) => {
    const { store } = opened;
    const count = 1_500;
    const name = (n: number) => `team-${String(n).padStart(4, '0')}`;
    await each(count, (n) =>
      store.admit(avatarOf({ id: `av_${n}`, caller: name(n), createdAt: n }), [SUBMISSION], dueIn(LONG)),
    );
    const newest = Array.from({ length: 20 }, (_, i) => `av_${count - 1 - i}`);
    const few = async (what: string, read: () => Promise<unknown>, commands = 200) => {
      const took = (await opened.commands?.(read)) ?? 0;
      t.ok(took <= commands, `${what}: ${took} commands`);
    };
    await few('a page', async () => {
      const { found, next } = await store.list(EVERYONE, { ...EVERYTHING, limit: 20 });
      t.same(idsOf(found), newest);
      t.same(next, { createdAt: count - 20, id: `av_${count - 20}` });
    });
    await few('a page by status', async () => {
      const query = { ...EVERYTHING, limit: 20, statuses: ['failed' as const, 'queued' as const] };
      t.same(idsOf((await store.list(EVERYONE, query)).found), newest);
    });
    await few('the last changes', async () => {
      const { last } = await store.feed(EVERYONE, null, 20);
      const { changed, whole } = await store.feed(EVERYONE, last - 1, 20);
      t.same([changed.length, whole], [1, true]);
    });
    await few('the feed', async () => {
      const { changed, whole } = await store.feed(EVERYONE, 0, 20);
      t.same([changed.length, whole], [20, true]);
    });
    await few('one of them', async () =>
      t.equal((await store.find(EVERYONE, 'av_7'))?.avatar.caller, name(7)),
    );
    await few('their names', async () => {
      t.same(
        await store.callers(),
        Array.from({ length: count }, (_, n) => name(n)),
      );
    });
  });

  check('a caller whose name is that of everyone is one like any other', async (t, { store }) => {
    await store.admit(avatarOf({ id: 'av_1', caller: '*' }), [SUBMISSION], dueIn(LONG));
    await store.admit(avatarOf({ id: 'av_2' }), [SUBMISSION], dueIn(LONG));
    t.same(idsOf((await store.list('*', EVERYTHING)).found), ['av_1']);
    t.same(idsOf((await store.feed('*', 0, 9)).changed), ['av_1']);
    t.equal(await store.find('*', 'av_2'), null);
    t.same(idsOf((await store.list(EVERYONE, EVERYTHING)).found).toSorted(), ['av_1', 'av_2']);
    t.same(await store.callers(), ['*', CALLER].toSorted());
  });
}
