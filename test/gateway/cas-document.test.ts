/** A document that replicas share: no change is lost, and none is made twice. */

import t, { type Test } from 'tap';
import { CasDocument, jsonCodec } from '../../src/gateway/limits/cas-document.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { clockedStore, far, losing, NOW } from './clocked.js';

interface Count {
  readonly count: number;
}

const NAME = 'count-1';
const CODEC = jsonCodec<Count>(
  () => ({ count: 0 }),
  (value): value is Count => typeof value === 'object' && value !== null && 'count' in value,
);

function replica(store: Store): CasDocument<Count> {
  return new CasDocument(store, NAME, CODEC);
}

/** One more; the result is what the count then is. */
function next(shared: CasDocument<Count>): Promise<number> {
  return shared.change(({ count }) => ({ value: { count: count + 1 }, result: count + 1 }));
}

async function countIn(store: Store): Promise<number> {
  return CODEC.read((await store.document(NAME)).value).count;
}

t.test('changes of several replicas at the same time: each is made once, on top of another', async (t) => {
  const { store } = await clockedStore(t);
  const replicas = [replica(store), replica(store), replica(store)];
  const results = await Promise.all(Array.from({ length: 20 }, () => replicas.map(next)).flat());
  t.strictSame(
    results.toSorted((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
  t.equal(await countIn(store), 60);
});

t.test('changes of one replica do not compete with each other', async (t) => {
  const { store } = await clockedStore(t);
  const shared = replica(store);
  let runs = 0;
  const change = () =>
    shared.change(({ count }) => {
      runs += 1;
      return { value: { count: count + 1 }, result: undefined };
    });
  await Promise.all(Array.from({ length: 20 }, change));
  t.equal(runs, 20);
  t.equal((await store.document(NAME)).revision, 20);
});

t.test('a change that another replica was faster than is made anew, on the newer value', async (t) => {
  const { store } = await clockedStore(t);
  const [a, b] = [replica(store), replica(store)];
  t.strictSame(await a.refresh(), { count: 0 });
  t.equal(await next(b), 1);
  const seen: number[] = [];
  await a.change(({ count }) => {
    seen.push(count);
    return { value: { count: count + 10 }, result: undefined };
  });
  t.strictSame(seen, [0, 1]);
  t.equal(await countIn(store), 11);
  t.strictSame(a.value, { count: 11 });
});

t.test('what others changed is known once it is read, half a second later at most', async (t) => {
  const { store, pass } = await clockedStore(t);
  const [a, b] = [replica(store), replica(store)];
  t.strictSame(a.value, { count: 0 }, 'before anything was read');
  await a.refresh();
  await next(b);
  t.strictSame(await a.refresh(), { count: 0 }, 'it was read a moment ago');
  pass(500);
  t.strictSame(a.value, { count: 0 });
  t.strictSame(await a.refresh(), { count: 1 });
  t.strictSame(a.value, { count: 1 });
});

t.test('[F5] what was changed since, as the store says, is read at once', async (t) => {
  const { store } = await clockedStore(t);
  const [a, b] = [replica(store), replica(store)];
  t.strictSame(a.asOf, { document: NAME, revision: 0 }, 'before anything was read');
  await a.refresh();
  await next(b);
  a.outdate();
  t.strictSame([a.value, a.asOf.revision], [{ count: 0 }, 0]);
  t.strictSame(await a.refresh(), { count: 1 });
  t.strictSame(a.asOf, { document: NAME, revision: 1 });
  await next(a);
  t.strictSame([a.asOf.revision, b.asOf.revision], [2, 1]);
});

t.test('a change that changes nothing writes nothing', async (t) => {
  const { store } = await clockedStore(t);
  const shared = replica(store);
  await next(shared);
  t.equal(await shared.change((value) => ({ value, result: 'as it was' })), 'as it was');
  t.equal((await store.document(NAME)).revision, 1);
});

async function afterLoss(t: Test, how: 'before' | 'after') {
  const { store } = await clockedStore(t);
  const losses = [null, how];
  const shared = replica(losing(store, () => losses.shift() ?? null));
  t.equal(await next(shared), 1);
  await t.rejects(next(shared), new Error(`lost ${how}`));
  return { store, shared };
}

t.test('a change whose reply was lost was made once, and the next is made on top of it', async (t) => {
  const { store, shared } = await afterLoss(t, 'after');
  t.equal(await countIn(store), 2);
  t.equal(await next(shared), 3);
  t.equal(await countIn(store), 3);
});

t.test('a change that did not arrive is not made later', async (t) => {
  const { store, shared } = await afterLoss(t, 'before');
  t.equal(await countIn(store), 1);
  t.equal(await next(shared), 2);
});

t.test(
  'in doubt about a change, the store is asked even by one that changes nothing, and once',
  async (t) => {
    const { store, shared } = await afterLoss(t, 'after');
    const look = () => shared.change((value) => ({ value, result: value.count }));
    t.equal(await look(), 2);
    await next(replica(store));
    t.equal(await look(), 2, 'it was read a moment ago');
  },
);

t.test('what was known is not forgotten with a reply', async (t) => {
  const { shared } = await afterLoss(t, 'after');
  t.strictSame(shared.value, { count: 1 });
  t.equal(shared.now, NOW, 'nor is the clock of the store');
});

t.test('a change that fails holds up none of those after it', async (t) => {
  const { store } = await clockedStore(t);
  const shared = replica(store);
  const all = await Promise.allSettled([
    next(shared),
    shared.change(() => {
      throw new RangeError('no');
    }),
    next(shared),
  ]);
  t.strictSame(
    all.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.equal(await countIn(store), 2);
});

t.test('a document that cannot be used gives way to the fallback, and is written over', async (t) => {
  for (const text of ['', '{"count":', 'null', '7', '{"other":1}', '[]']) {
    const { store } = await clockedStore(t);
    await store.swap(NAME, 0, text);
    const shared = replica(store);
    t.strictSame(await shared.refresh(), { count: 0 }, text);
    t.equal(await next(shared), 1);
    t.equal(await countIn(store), 1);
    await store.close();
  }
});

t.test('times are those of the store, carried on between its words', async (t) => {
  const { store, pass } = await clockedStore(t);
  const shared = replica(store);
  t.ok(Math.abs(shared.now - Date.now()) < 10_000, 'it was not heard yet');
  t.equal(await shared.storeNow(), NOW);
  pass(60_000);
  t.equal(shared.now, NOW + 60_000);
  t.equal(await shared.storeNow(), NOW + 60_000);
  const now = await shared.change((value, time) => ({ value, result: time }));
  t.strictSame(now, { atLeast: NOW + 60_000, atMost: NOW + 60_000 });
});

t.test('what takes long to be heard is not known to the millisecond', async (t) => {
  const clocked = await clockedStore(t);
  const shared = replica(far(clocked, { thereMs: 30, backMs: 50 }));
  const time = () => shared.change((value, known) => ({ value, result: known }));
  const real = async () => (await clocked.store.document(NAME)).now;
  t.strictSame([await time(), await real()], [{ atLeast: NOW + 30, atMost: NOW + 110 }, NOW + 80]);
  await next(shared);
  t.strictSame([await time(), await real()], [{ atLeast: NOW + 110, atMost: NOW + 190 }, NOW + 160]);
});

t.test('where the store is away nothing is changed, and what is known stays', async (t) => {
  const { store, pass } = await clockedStore(t);
  const shared = replica(store);
  await next(shared);
  await store.close();
  await t.rejects(next(shared), StoreUnavailableError);
  pass(500);
  await t.rejects(shared.refresh(), StoreUnavailableError);
  await t.rejects(
    shared.change((value) => ({ value, result: undefined })),
    StoreUnavailableError,
  );
  t.strictSame(shared.value, { count: 1 });
});
