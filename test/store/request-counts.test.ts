/** Counting of requests: at once here, and together with other replicas soon. */

import t, { type Test } from 'tap';
import { RequestCounts } from '../../src/store/request-counts.js';
import type { Hits, Store } from '../../src/store/store.js';
import { until } from '../support/until.js';

const WINDOW_MS = 60_000;

/** Counts that replicas share, which can be away. */
class Shared {
  readonly counts = new Map<string, number>();
  readonly told: ReadonlyMap<string, number>[] = [];
  isAway = false;
  leftMs = WINDOW_MS;

  readonly count: NonNullable<Store['count']> = async (added) => {
    this.told.push(added);
    if (this.isAway) throw new Error('away');
    const counts = new Map<string, Hits>();
    for (const [name, n] of added) {
      const count = (this.counts.get(name) ?? 0) + n;
      this.counts.set(name, count);
      counts.set(name, { count, leftMs: this.leftMs });
    }
    return counts;
  };
}

function replica(t: Test, store: Pick<Store, 'count'>) {
  const failures: unknown[] = [];
  const counts = new RequestCounts(store, WINDOW_MS, (error) => failures.push(error));
  t.teardown(() => counts.close());
  return { counts, failures, add: (name = 'a') => counts.add(name).count };
}

/** A clock that the test moves. */
function clock(t: Test) {
  let now = Math.round(performance.now());
  t.intercept(performance, 'now', { value: () => now, configurable: true });
  return (ms: number) => {
    now += ms;
  };
}

t.test('without others it is a count in a window that begins with the first', async (t) => {
  const pass = clock(t);
  const { counts, add } = replica(t, { count: null });
  t.strictSame(counts.add('a'), { count: 1, leftMs: WINDOW_MS });
  pass(59_000);
  t.strictSame(counts.add('a'), { count: 2, leftMs: 1_000 });
  t.equal(add('b'), 1, 'each under its own name');
  pass(1_000);
  t.strictSame(counts.add('a'), { count: 1, leftMs: WINDOW_MS });
});

t.test('[F40] replicas count together: each is wrong by what was not told yet, and no longer', async (t) => {
  const shared = new Shared();
  const one = replica(t, shared);
  const other = replica(t, shared);
  t.strictSame([one.add(), one.add(), other.add(), one.add()], [1, 2, 1, 3], 'nobody waits for it');
  await until('both have told', async () => (shared.counts.get('a') === 4 ? true : null), { everyMs: 1 });
  t.ok(shared.told.length <= 2, 'many requests are told of at once');
  other.add();
  await until('it was told', async () => (shared.counts.get('a') === 5 ? true : null), { everyMs: 1 });
  t.equal(other.add(), 6, 'and heard of what the other had counted');
});

t.test('the window ends where the others say', async (t) => {
  const pass = clock(t);
  const shared = new Shared();
  shared.leftMs = 20_000;
  const { counts } = replica(t, shared);
  t.equal(counts.add('a').leftMs, WINDOW_MS);
  await until('it was told', async () => (shared.told.length === 1 ? true : null), { everyMs: 1 });
  pass(5_000);
  t.strictSame(counts.add('a'), { count: 2, leftMs: 15_000 });
  pass(15_000);
  t.equal(counts.add('a').count, 1);
});

t.test('who cannot be told is told later, of what still counts', async (t) => {
  const pass = clock(t);
  const shared = new Shared();
  shared.isAway = true;
  const { counts, failures, add } = replica(t, shared);
  add('old');
  await until('it is known', async () => (counts.failure === null ? null : true), { everyMs: 1 });
  pass(WINDOW_MS);
  add();
  t.equal(add(), 2, 'it counts by itself meanwhile');
  await until('it was tried again', async () => (shared.told.length > 2 ? true : null), { everyMs: 1 });
  t.match(failures, [/away/], 'and says so once');
  t.equal(failures.length, 1);
  shared.isAway = false;
  await until('it is over', async () => (counts.failure === null ? true : null), { everyMs: 1 });
  t.strictSame([...shared.counts], [['a', 2]]);
});

t.test('that they can be told again is found out though there is nothing to tell', async (t) => {
  const pass = clock(t);
  const shared = new Shared();
  shared.isAway = true;
  const { counts, add } = replica(t, shared);
  add();
  await until('it is known', async () => (counts.failure === null ? null : true), { everyMs: 1 });
  pass(WINDOW_MS);
  shared.isAway = false;
  await until('it is over', async () => (counts.failure === null ? true : null), { everyMs: 1 });
  t.equal(shared.told.at(-1)?.size, 0);
});

t.test('very many names are told of a few hundred at a time', async (t) => {
  const shared = new Shared();
  const { add } = replica(t, shared);
  for (let i = 0; i < 1_200; i++) add(`name-${i}`);
  await until('all are told', async () => (shared.counts.size === 1_200 ? true : null), { everyMs: 1 });
  t.strictSame(
    shared.told.map(({ size }) => size),
    [500, 500, 200],
  );
});
