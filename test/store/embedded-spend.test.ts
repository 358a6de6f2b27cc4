/** What was spent, where the process or the disk fails, and after a restart. */

import { ClassicLevel } from 'classic-level';
import t from 'tap';
import { beginSubmit } from '../../src/domain/moves.js';
import { dayOf } from '../../src/domain/spend.js';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { USE_MS } from '../../src/store/store.js';
import { until } from '../support/until.js';
import { avatarOf, CALLER, dueIn, EVERYTHING, LONG, SUBMISSION } from './fixtures.js';
import { child, create, open } from './fixtures-embedded.js';

const DAY_MS = 24 * 3_600_000;
const NOW = Date.now();
const spend = { reserved: { durationMs: 7200, units: 3226 }, settled: null };
const paid = { spend, createdAt: NOW };
const [FROM, TO] = [dayOf(NOW - DAY_MS), dayOf(NOW + DAY_MS)];

t.test('embedded: kill -9 amid creations leaves what is reserved for those that are there', async (t) => {
  const dir = t.testdir();
  const other = child(t, 'spend', dir);
  for (let said = 0; said < 100; said++) await other.says();
  await other.kill();
  const store = await open(t, dir);
  const { found, next } = await store.list(CALLER, { ...EVERYTHING, limit: 10_000 });
  t.equal(next, null);
  t.ok(found.length >= 100, `${found.length}`);
  const avatars = (await store.use(CALLER, FROM, TO)).reduce((sum, each) => sum + each.reserved.avatars, 0);
  t.equal(avatars, found.length);
});

t.test('embedded: what could not be written is not counted', async (t) => {
  const store = await open(t, t.testdir());
  await create(store, 'av_1', paid);
  const { batch } = ClassicLevel.prototype;
  t.teardown(() => Object.assign(ClassicLevel.prototype, { batch }));
  Object.assign(ClassicLevel.prototype, {
    batch: async () => {
      Object.assign(ClassicLevel.prototype, { batch });
      throw new Error('EIO');
    },
  });
  await t.rejects(create(store, 'av_2', paid), { name: 'StoreUnavailableError' });
  await until('the disk is used again', () =>
    store.ping().then(
      () => true as const,
      () => null,
    ),
  );
  t.match(await store.use(CALLER, FROM, TO), [{ reserved: { avatars: 1, durationMs: 7200, units: 3226 } }]);
  const two = dueIn(LONG, { maxUnfinished: 2 });
  await store.create(avatarOf(paid), [SUBMISSION], two);
  await t.rejects(store.create(avatarOf(paid), [SUBMISSION], two), { name: 'CallerLimitError' });
});

t.test('embedded: accounts and unfinished avatars are the same after a restart', async (t) => {
  const dir = t.testdir();
  const first = await open(t, dir);
  for (const id of ['av_1', 'av_2']) await create(first, id, paid);
  const begun = beginSubmit(avatarOf({ id: 'av_1', ...paid }), 'key-1', 'intent-1');
  await first.save(begun, 1, { dueInMs: LONG, submission: 'keep' });
  const use = await first.use(CALLER, FROM, TO);
  await first.close();
  const second = await open(t, dir);
  t.same(await second.use(CALLER, FROM, TO), use);
  const three = dueIn(LONG, { maxUnfinished: 3 });
  await second.create(avatarOf(paid), [SUBMISSION], three);
  await t.rejects(second.create(avatarOf(paid), [SUBMISSION], three), { name: 'CallerLimitError' });
});

t.test('embedded: months are forgotten when they are old enough, and no sooner', async (t) => {
  const dir = t.testdir();
  const first = await open(t, dir);
  await create(first, 'av_1', paid);
  await first.close();
  for (const [later, rows] of [
    [USE_MS, 1],
    [USE_MS + 32 * DAY_MS, 0],
  ] as const) {
    const store = await openEmbeddedStore({ dir, now: () => NOW + later });
    t.equal((await store.use(CALLER, FROM, TO)).length, rows);
    await store.close();
  }
});
