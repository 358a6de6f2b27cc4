/** The part of the contract on counts in windows of time, where processes share them. */

import { until } from '../support/until.js';
import type { Check } from './contract-damage.js';
import { LONG } from './fixtures.js';

export function hits(check: Check): void {
  check('what is added to counts is added, under each name, whoever adds it', async (t, { store }) => {
    if (store.count === null) return;
    const adding = Array.from({ length: 20 }, () => store.count?.(new Map([['team-a', 2]]), LONG));
    const totals = (await Promise.all(adding)).map((counts) => counts?.get('team-a')?.count ?? 0);
    t.same(
      totals.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => 2 * i + 2),
    );
    const both = new Map([
      ['team-b', 3],
      ['team-a', 1],
    ]);
    const counts = await store.count(both, LONG);
    t.match(
      [...counts],
      [
        ['team-b', { count: 3 }],
        ['team-a', { count: 41 }],
      ],
    );
    t.match(await store.count(new Map([['team-a', 0]]), LONG), new Map([['team-a', { count: 41 }]]));
    t.equal((await store.count(new Map(), LONG)).size, 0, 'nothing is added to nothing');
  });

  check('a window ends by itself, however much is added', async (t, { store }) => {
    const { count: add } = store;
    if (add === null) return;
    const addOne = async (name: string, windowMs: number) => {
      const counts = await add.call(store, new Map([[name, 1]]), windowMs);
      return counts.get(name) ?? { count: 0, leftMs: 0 };
    };
    const first = await addOne('team-a', LONG);
    t.equal(first.leftMs, LONG, 'it begins with the first');
    const later = await until('time goes by', async () => {
      const hit = await addOne('team-a', LONG);
      return hit.leftMs < LONG ? hit : null;
    });
    t.ok(later.count > 1 && later.leftMs > LONG - 60_000, 'later ones do not move its end');

    await addOne('team-b', 20);
    const anew = await until('a new window', async () => {
      const hit = await addOne('team-b', 20);
      return hit.count === 1 ? hit : null;
    });
    t.ok(anew.leftMs > 0 && anew.leftMs <= 20, `${anew.leftMs}`);

    // As where the clock was set back since it began.
    t.same(await addOne('team-a', 1_000), { count: 1, leftMs: 1_000 }, 'one that cannot be is none');
  });
}
