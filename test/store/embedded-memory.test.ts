/** What the embedded store keeps in memory beside the disk says what the disk says, whatever fails and when. */

import { ClassicLevel } from 'classic-level';
import t, { type Test } from 'tap';
import { accepted, beginSubmit, requeued } from '../../src/domain/moves.js';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { encodeRecord } from '../../src/store/record.js';
import { type Save, type Store, StoreUnavailableError } from '../../src/store/store.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER, dueIn, idsOf, LONG, SUBMISSION } from './fixtures.js';

const KEY = 'key-1';
const KEEP: Save = { dueInMs: LONG, submission: 'keep' };

async function open(t: Test, dir: string): Promise<Store> {
  const store = await openEmbeddedStore({ dir });
  t.teardown(() => store.close());
  return store;
}

const create = async (store: Store, id: string, caller = CALLER) =>
  (await store.create(avatarOf({ id, caller }), [SUBMISSION], dueIn(LONG))).avatar;

/** All that is derived: the queue in order with ranks, bytes, slots. */
async function standing(store: Store, ids: readonly string[]) {
  const { queued, queuedBytes, lanes } = await store.outlook([KEY, 'key-2']);
  const ranks = await Promise.all(ids.map(async (id) => (await store.find(CALLER, id))?.ahead));
  return { queued, queuedBytes, lanes: [...lanes], ranks, order: idsOf(await store.next(99)) };
}

/** LevelDB's methods fail as told, until put back. */
function failing(t: Test, methods: object): () => void {
  const { batch, open, getSync, iterator } = ClassicLevel.prototype;
  const restore = () => void Object.assign(ClassicLevel.prototype, { batch, open, getSync, iterator });
  t.teardown(restore);
  Object.assign(ClassicLevel.prototype, methods);
  return restore;
}

const refuse = async () => {
  throw new Error('EIO');
};

/** Three queued, one submitting, one pending and due. */
async function filled(t: Test, dir: string) {
  const store = await open(t, dir);
  const ids = ['av_1', 'av_2', 'av_3', 'av_4', 'av_5'];
  for (const id of ids) await create(store, id);
  await store.save(beginSubmit(avatarOf({ id: 'av_1' }), KEY, 'intent-1'), 1, KEEP);
  const pending = accepted(beginSubmit(avatarOf({ id: 'av_2' }), KEY, 'intent-1'), 'task-1', 0);
  await store.save(pending, 1, { ...KEEP, dueInMs: 0 });
  return { store, ids };
}

t.test('embedded: queue, slots and lanes are the same after a restart', async (t) => {
  const dir = t.testdir();
  const { store, ids } = await filled(t, dir);
  const before = await standing(store, ids);
  t.match(before, { queued: 3, ranks: [null, null, 0, 1, 2], order: ['av_3', 'av_4', 'av_5'] });
  await store.close();
  const again = await open(t, dir);
  t.same(await standing(again, ids), before);
  t.same(await again.lanes(), [KEY]);
  await again.save(requeued(beginSubmit(avatarOf({ id: 'av_1' }), KEY, 'intent-1')), 2, KEEP);
  t.same(idsOf(await again.next(9)), ['av_1', 'av_3', 'av_4', 'av_5'], 'its old place');
});

t.test('embedded: after a restart a caller is still behind what it has under way', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  const begun = beginSubmit(await create(store, 'av_z'), KEY, 'intent-1');
  await store.save(begun, 1, KEEP);
  await store.close();
  const again = await open(t, dir);
  await create(again, 'av_a');
  await again.save(requeued(begun), 2, KEEP);
  t.same(idsOf(await again.next(9)), ['av_z', 'av_a']);
});

t.test('embedded: writes that fail change nothing of the queue and the slots', async (t) => {
  const dir = t.testdir();
  const { store, ids } = await filled(t, dir);
  const before = await standing(store, ids);
  const restore = failing(t, { batch: refuse });
  const results = await Promise.allSettled([
    create(store, 'av_6'),
    store.save(beginSubmit(avatarOf({ id: 'av_3' }), KEY, 'intent-1'), 1, { ...KEEP, slots: 9 }),
    store.save(requeued(beginSubmit(avatarOf({ id: 'av_1' }), KEY, 'intent-1')), 2, KEEP),
    store.remove('av_2', 2),
    store.remove('av_4', 1),
  ]);
  t.same(new Set(results.map(({ status }) => status)), new Set(['rejected']));
  restore();
  await until('the disk is used again', () =>
    store
      .ping()
      .then(() => true)
      .catch(() => null),
  );
  t.same(await standing(store, ids), before);
});

t.test('embedded: it is not used before what is in memory was read anew', async (t) => {
  const { store, ids } = await filled(t, t.testdir());
  const before = await standing(store, ids);
  const restoreWrites = failing(t, { batch: refuse });
  await t.rejects(store.remove('av_3', 1), StoreUnavailableError);
  restoreWrites();
  const restore = failing(t, {
    iterator() {
      throw new Error('EIO');
    },
  });
  for (let i = 0; i < 3; i++) {
    await t.rejects(store.outlook([]), StoreUnavailableError);
    await t.rejects(store.next(9), StoreUnavailableError);
  }
  restore();
  await until('the disk is used again', () =>
    store
      .ping()
      .then(() => true)
      .catch(() => null),
  );
  t.same(await standing(store, ids), before);
});

t.test('embedded: a read that fails in the middle of a call leaves nothing of it', async (t) => {
  const dir = t.testdir();
  const first = await filled(t, dir);
  await first.store.close();
  const level = new ClassicLevel<string, Buffer>(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await level.put('avatar!av_3', Buffer.from('not a record'));
  await level.close();
  const store = await open(t, dir);

  const { getSync } = ClassicLevel.prototype;
  const restore = failing(t, {
    getSync(this: ClassicLevel<string, Buffer>, key: string) {
      if (key === 'avatar!av_4') throw new Error('EIO');
      return getSync.call(this, key, {});
    },
  });
  await t.rejects(store.next(9), StoreUnavailableError);
  t.same(store.health(), { corruptRecords: 0 });
  t.match(await store.outlook([]), { queued: 3, queuedBytes: 3 * SUBMISSION.length });
  restore();
  t.same(idsOf(await store.next(9)), ['av_4', 'av_5']);
  t.same(store.health(), { corruptRecords: 1 });
  const after = await store.outlook([]);
  await store.close();
  const { queued, queuedBytes } = await (await open(t, dir)).outlook([]);
  t.match(after, { queued, queuedBytes });
});

t.test('embedded: many records of a newer release at the head stop nobody', async (t) => {
  const dir = t.testdir();
  const first = await open(t, dir);
  const ids = Array.from({ length: 300 }, (_, i) => `av_${i}`);
  await Promise.all(ids.map((id) => create(first, id)));
  const good = await create(first, 'av_good');
  await first.close();
  const level = new ClassicLevel<string, Buffer>(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  for (const id of ids) await level.put(`avatar!${id}`, Buffer.from('9 {}'));
  await level.close();
  const store = await open(t, dir);
  t.same(idsOf(await store.next(2)), [good.id]);
  t.equal((await store.outlook([])).queued, 301);
});

t.test('embedded: a queue entry that cannot be read keeps nobody from starting', async (t) => {
  const dir = t.testdir();
  const { store } = await filled(t, dir);
  await store.close();
  const level = new ClassicLevel<string, Buffer>(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  await level.put('queue!av_3', Buffer.from('{"caller":'));
  await level.close();
  const again = await open(t, dir);
  t.same(idsOf(await again.next(9)), ['av_4', 'av_5']);
  t.match(await again.find(CALLER, 'av_3'), { version: 1, ahead: null });
  t.equal(await again.remove('av_3', 1), true);
});

t.test('embedded: a store that could not be loaded leaves its directory to the next', async (t) => {
  const dir = t.testdir();
  await (await filled(t, dir)).store.close();
  const restore = failing(t, {
    iterator() {
      throw new Error('EIO');
    },
  });
  await t.rejects(openEmbeddedStore({ dir }), StoreUnavailableError);
  restore();
  t.equal((await (await open(t, dir)).outlook([])).queued, 3);
});

t.test('embedded: 100,000 in the queue are counted, ranked and served at once', async (t) => {
  const dir = t.testdir();
  const seed = await open(t, dir);
  const last = await create(seed, 'av_last');
  await seed.close();
  const level = new ClassicLevel<string, Buffer>(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  const meta = await level.get('meta!av_last');
  const place = JSON.parse(String(await level.get('queue!av_last'))) as object;
  const many = Array.from({ length: 100_000 }, (_, i) => `av_${String(i).padStart(6, '0')}`);
  await level.batch(
    many.flatMap((id, i) => [
      {
        type: 'put' as const,
        key: `queue!${id}`,
        value: Buffer.from(JSON.stringify({ ...place, tag: i + 2 })),
      },
      { type: 'put' as const, key: `meta!${id}`, value: meta ?? Buffer.alloc(0) },
      { type: 'put' as const, key: `avatar!${id}`, value: encodeRecord({ ...last, id }) },
    ]),
  );
  await level.close();
  const store = await open(t, dir);
  const since = performance.now();
  for (let i = 0; i < 200; i++) {
    t.equal((await store.find(CALLER, `av_${String(99_000 + i).padStart(6, '0')}`))?.ahead, 99_001 + i);
    await store.next(3);
    await store.outlook([KEY]);
  }
  const took = performance.now() - since;
  t.comment(`${(took / 600).toFixed(2)} ms a call`);
  t.equal((await store.outlook([])).queued, 100_001);
  t.equal(await store.remove('av_050000', 1), true);
  t.equal((await store.find(CALLER, 'av_099999'))?.ahead, 99_999);
});
