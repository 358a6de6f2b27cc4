/** The part of the contract on counts in windows of time. */

import { until } from '../support/until.js';
import type { Check } from './contract-damage.js';
import { LONG } from './fixtures.js';

export function hits(check: Check): void {
  check('each hit is counted, under its own name', async (t, { store }) => {
    const counts = await Promise.all(Array.from({ length: 20 }, () => store.hit('team-a', LONG)));
    const inOrder = counts.map(({ count }) => count).sort((a, b) => a - b);
    t.same(
      inOrder,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    t.match(await store.hit('team-b', LONG), { count: 1 });
    t.match(await store.hit('team-a', LONG), { count: 21 });
  });

  check('a window ends by itself, however many hits there were', async (t, { store }) => {
    const first = await store.hit('team-a', LONG);
    t.equal(first.leftMs, LONG, 'it begins with the first');
    const later = await until('time goes by', async () => {
      const hit = await store.hit('team-a', LONG);
      return hit.leftMs < LONG ? hit : null;
    });
    t.ok(later.count > 1 && later.leftMs > LONG - 60_000, 'later ones do not move its end');

    await store.hit('team-b', 20);
    const anew = await until('a new window', async () => {
      const hit = await store.hit('team-b', 20);
      return hit.count === 1 ? hit : null;
    });
    t.ok(anew.leftMs > 0 && anew.leftMs <= 20, `${anew.leftMs}`);
  });

  check('a window that cannot be is no window', async (t, { store }) => {
    // As where the clock was set back since it began.
    await store.hit('team-a', LONG);
    t.same(await store.hit('team-a', 1_000), { count: 1, leftMs: 1_000 });
  });
}
