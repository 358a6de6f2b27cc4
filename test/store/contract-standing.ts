/** The part of the contract on what an avatar holds at the edges: ties, refusals, the end of a slot. */

import { accepted, beginSubmit, requeued, unconfirmed } from '../../src/domain/moves.js';
import type { Save, Store } from '../../src/store/store.js';
import { until } from '../support/until.js';
import type { Check } from './contract-damage.js';
import { avatarOf, CALLER, dueIn, idsOf, LONG, SUBMISSION } from './fixtures.js';

const KEY = 'key-1';
const KEEP: Save = { dueInMs: LONG, submission: 'keep' };
const FAILURE = { type: 'outcome-unknown', detail: 'lost', upstreamStatus: null } as const;

const queued = async (store: Store, id: string, caller = CALLER) =>
  (await store.create(avatarOf({ id, caller }), [SUBMISSION], dueIn(LONG))).avatar;
const slots = async (store: Store, key = KEY) => (await store.outlook([key])).lanes.get(key)?.slots;

export function standing(check: Check): void {
  check('a caller is served in turn, whoever was submitted meanwhile', async (t, { store }) => {
    // The two begin level. Ids against the order, so that a tie within a caller would show.
    const first = await queued(store, 'av_z');
    const other = await queued(store, 'av_m', 'team-b');
    await store.save(beginSubmit(other, KEY, 'intent-1'), 1, KEEP);
    const second = await queued(store, 'av_a');
    t.same(idsOf(await store.next(9)), idsOf([first, second]));
  });

  check('an avatar that comes back is before what its caller queued since', async (t, { store }) => {
    const first = await queued(store, 'av_z');
    const begun = beginSubmit(first, KEY, 'intent-1');
    await store.save(begun, 1, KEEP);
    const second = await queued(store, 'av_a');
    await store.save(requeued(begun), 2, KEEP);
    t.same(idsOf(await store.next(9)), idsOf([first, second]));
    t.equal((await store.find(CALLER, second.id))?.ahead, 1);
  });

  check('whoever is removed from the queue is ahead of nobody', async (t, { store }) => {
    for (const id of ['av_1', 'av_2', 'av_3']) await queued(store, id);
    t.equal(await store.remove('av_2', 1), true);
    t.equal((await store.find(CALLER, 'av_3'))?.ahead, 1);
    t.same(idsOf(await store.next(9)), ['av_1', 'av_3']);
  });

  check('an id that is taken is said to be taken although the queue is full', async (t, { store }) => {
    const avatar = await queued(store, 'av_1');
    const bounds = { maxAvatars: 1, maxBytes: 0 };
    await t.rejects(store.create(avatar, [SUBMISSION], dueIn(LONG, { bounds })), {
      name: 'AvatarExistsError',
    });
  });

  check('what was dropped from the queue no longer counts, then or later', async (t, { store }) => {
    const avatar = await queued(store, 'av_1');
    await store.save(avatar, 1, { ...KEEP, submission: 'drop' });
    t.match(await store.outlook([]), { queued: 1, queuedBytes: 0 });
    await store.remove(avatar.id, 2);
    t.match(await store.outlook([]), { queued: 0, queuedBytes: 0 });
  });

  check('a save without a slot writes nothing; stale and taken go before it', async (t, { store }) => {
    const [holder, avatar] = [await queued(store, 'av_1'), await queued(store, 'av_2')];
    await store.save(accepted(beginSubmit(holder, KEY, 'intent-1'), 'task-1', 0), 1, KEEP);
    const save = (taskId: string, version: number) =>
      store.save(accepted(beginSubmit(avatar, KEY, 'intent-1'), taskId, 0), version, {
        dueInMs: 0,
        submission: 'drop',
        slots: 1,
      });
    t.same(await save('task-1', 9), { saved: false, reason: 'stale' });
    t.same(await save('task-1', 1), { saved: false, reason: 'task-taken' });
    t.same(await save('task-2', 1), { saved: false, reason: 'no-slot' });

    t.match(await store.find(CALLER, avatar.id), { avatar, version: 1, ahead: 0 });
    t.same(await store.submission(avatar.id), SUBMISSION);
    t.same([await store.claim(KEY, 9, LONG), await store.claim(null, 9, LONG)], [[], []]);
    t.equal(await slots(store), 1);
    const other = await queued(store, 'av_3');
    const taken = await store.save(accepted(beginSubmit(other, 'key-2', 'intent-1'), 'task-2', 0), 1, KEEP);
    t.match(taken, { saved: true }, 'the task id is free');
  });

  check('a slot that was held for a while is free when that is over', async (t, { store }) => {
    const [doubtful, waits] = [await queued(store, 'av_1'), await queued(store, 'av_2')];
    const begun = beginSubmit(doubtful, KEY, 'intent-1');
    await store.save(begun, 1, KEEP);
    const lost = unconfirmed(begun, FAILURE, { now: 0, retentionMs: LONG });
    t.match(await store.save(lost, 2, { dueInMs: LONG, submission: 'drop', slotForMs: 300 }), {
      saved: true,
    });
    await until('the slot is free', async () => ((await slots(store)) === 0 ? true : null), { everyMs: 20 });
    t.match(await store.save(beginSubmit(waits, KEY, 'intent-1'), 1, { ...KEEP, slots: 1 }), { saved: true });
    const late = await store.save(accepted(lost, 'task-1', 0), 3, { ...KEEP, slots: 1 });
    t.same(late, { saved: false, reason: 'no-slot' }, 'it has none any more');
    t.match(await store.save(accepted(lost, 'task-1', 0), 3, KEEP), { saved: true }, 'unless asked for none');
    t.equal(await slots(store), 2);
  });

  check('a slot is given back where the next submit takes another key', async (t, { store }) => {
    const begun = beginSubmit(await queued(store, 'av_1'), KEY, 'intent-1');
    await store.save(begun, 1, KEEP);
    await store.save(requeued(begun), 2, KEEP);
    await store.save(beginSubmit(requeued(begun), 'key-2', 'intent-1'), 3, KEEP);
    t.same([await slots(store), await slots(store, 'key-2')], [0, 1]);
    await store.remove('av_1', 4);
    t.same([await slots(store), await slots(store, 'key-2')], [0, 0]);
  });

  check('50 who count up a document at once lose no count', async (t, { store }) => {
    const increment = async () => {
      for (;;) {
        const { revision, value } = await store.document('count');
        if ((await store.swap('count', revision, String(Number(value ?? 0) + 1))).swapped) return;
      }
    };
    await Promise.all(Array.from({ length: 50 }, increment));
    t.match(await store.document('count'), { value: '50', revision: 50 });
  });

  check('closed, it says so whatever it is asked, and not that there is nothing', async (t, { store }) => {
    await store.close();
    const calls: Record<string, Promise<unknown>> = {
      next: store.next(1),
      outlook: store.outlook([]),
      lanes: store.lanes(),
      document: store.document('a'),
      swap: store.swap('a', 0, 'b'),
      submission: store.submission('av_1'),
      remove: store.remove('av_1', 1),
    };
    for (const [name, call] of Object.entries(calls)) {
      await t.rejects(call, { name: 'StoreUnavailableError' }, name);
    }
  });
}
