/** The part of the contract on what an avatar holds: its place, its slot, for how long. */

import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, type Ending, failed, requeued, unconfirmed } from '../../src/domain/moves.js';
import type { Save, Store } from '../../src/store/store.js';
import { until } from '../support/until.js';
import type { Check } from './contract-damage.js';
import {
  avatarOf,
  beginFirst,
  beginNext,
  beginWith,
  CALLER,
  claim,
  dueIn,
  freely,
  idsOf,
  KEY,
  LONG,
  SUBMISSION,
} from './fixtures.js';

const KEEP: Save = { dueInMs: LONG, submission: 'keep' };
const DROP: Save = { dueInMs: LONG, submission: 'drop' };
const FAILURE = { type: 'outcome-unknown', detail: 'lost', upstreamStatus: null } as const;
const ENDING: Ending = { now: 0, retentionMs: LONG };

const queued = async (store: Store, id: string, caller = CALLER) =>
  (await store.admit(avatarOf({ id, caller }), [SUBMISSION], dueIn(LONG))).avatar;
const slots = async (store: Store, key = KEY) => (await store.outlook([key])).keys.get(key)?.slots;
const pending = (avatar: Avatar) => accepted(avatar, `task of ${avatar.id}`, 0);

export function holdings(check: Check): void {
  check('a caller is served in turn, whoever was submitted meanwhile', async (t, { store }) => {
    // The two begin level. Ids against the order, so that a tie within a caller would show.
    const first = await queued(store, 'av_z');
    const other = await queued(store, 'av_m', 'team-b');
    const begun = await beginNext(store);
    const second = await queued(store, 'av_a');
    const left = begun.avatar.caller === CALLER ? [other, second] : [first, second];
    t.same(idsOf(await beginFirst(store, 9)), idsOf(left));
  });

  check('an avatar that comes back is before what its caller queued since', async (t, { store }) => {
    await queued(store, 'av_z');
    const first = await beginNext(store);
    const second = await queued(store, 'av_a');
    await store.save(requeued(first.avatar), 2, KEEP);
    t.equal((await store.find(CALLER, second.id))?.ahead, 1);
    t.same(idsOf(await beginFirst(store, 9)), idsOf([first, second]));
  });

  check('an avatar that comes back twice has its old place twice', async (t, { store }) => {
    for (const id of ['av_z', 'av_m', 'av_a']) await queued(store, id);
    for (const version of [2, 4]) {
      const { avatar } = await beginNext(store);
      t.equal(avatar.id, 'av_z');
      t.same(await store.save(requeued(avatar), version, KEEP), { saved: true, version: version + 1 });
    }
    t.same(idsOf(await beginFirst(store, 3)), ['av_z', 'av_m', 'av_a']);
  });

  check('whoever is removed from the queue is ahead of nobody', async (t, { store }) => {
    for (const id of ['av_1', 'av_2', 'av_3']) await queued(store, id);
    t.equal(await store.remove('av_2', 1), true);
    t.equal((await store.find(CALLER, 'av_3'))?.ahead, 1);
    t.same(idsOf(await beginFirst(store, 9)), ['av_1', 'av_3']);
  });

  check('what was dropped from the queue no longer counts, then or later', async (t, { store }) => {
    const avatar = await queued(store, 'av_1');
    await store.save(avatar, 1, { ...KEEP, submission: 'drop' });
    t.match(await store.outlook([]), { queued: 1, queuedBytes: 0 });
    await store.remove(avatar.id, 2);
    t.match(await store.outlook([]), { queued: 0, queuedBytes: 0 });
  });

  check('a slot is held until the end, by the key it was taken with', async (t, { store }) => {
    for (const id of ['av_1', 'av_2']) await queued(store, id);
    const { avatar, version } = await beginNext(store);
    const second = await beginNext(store, 'key-2');
    t.same([await slots(store), await slots(store, 'key-2')], [1, 1]);
    await store.save(pending(avatar), version, DROP);
    t.equal(await slots(store), 1);
    await store.save(failed(pending(avatar), FAILURE, ENDING), version + 1, DROP);
    t.same([await slots(store), await slots(store, 'key-2')], [0, 1]);
    await store.remove(second.avatar.id, second.version);
    t.equal(await slots(store, 'key-2'), 0);
  });

  check('one that may be running holds its slot for a while', async (t, { store }) => {
    for (const id of ['av_1', 'av_2']) await queued(store, id);
    for (const slotForMs of [LONG, 0]) {
      const { avatar, version } = await beginNext(store);
      await store.save(unconfirmed(avatar, FAILURE, ENDING), version, { ...DROP, slotForMs });
      t.equal(await slots(store), 1, 'the first one alone');
    }
  });

  check('a slot can be let go at once, and for a while, although the task runs on', async (t, { store }) => {
    await queued(store, 'av_1');
    const { avatar } = await beginNext(store);
    await store.save(pending(avatar), 2, { dueInMs: 0, submission: 'drop', slotForMs: 0 });
    t.equal(await slots(store), 0);
    t.same(await store.keyIds(), [KEY], 'it is polled all the same');
    t.equal((await claim(store, KEY, 1)).length, 1);
    t.equal(await slots(store), 0, 'a claim takes none');
    await store.save(pending(avatar), 3, { dueInMs: LONG, submission: 'keep', slotForMs: 100 });
    const isFree = async () => ((await slots(store)) === 0 ? true : null);
    await until('the slot is free', isFree, { everyMs: 10 });
    await store.save({ ...pending(avatar), polls: 1 }, 4, KEEP);
    t.equal(await slots(store), 1, 'as its status says');
    await store.save(failed(pending(avatar), FAILURE, ENDING), 5, DROP);
    t.equal(await slots(store), 0);
  });

  check('a slot that was held for a while is free when that is over', async (t, { store }) => {
    for (const id of ['av_1', 'av_2']) await queued(store, id);
    const { avatar } = await beginNext(store);
    const lost = unconfirmed(avatar, FAILURE, ENDING);
    const terms = { ...freely(), slots: 1 };
    await store.save(lost, 2, { ...DROP, slotForMs: LONG });
    t.same(await store.begin(beginWith(terms), 1), { begun: [], waitMs: null });
    await store.save({ ...lost, polls: 1 }, 3, { ...DROP, slotForMs: 300 });
    await until('the slot is free', async () => ((await slots(store)) === 0 ? true : null), { everyMs: 20 });
    t.same(idsOf((await store.begin(beginWith(terms), 1)).begun), ['av_2']);
    t.match(
      await store.save(pending(lost), 4, KEEP),
      { saved: true },
      'it was found: there is one more than may be',
    );
    t.equal(await slots(store), 2);
  });

  check('a slot is given back where the next submit takes another key', async (t, { store }) => {
    await queued(store, 'av_1');
    const { avatar } = await beginNext(store);
    await store.save(requeued(avatar), 2, KEEP);
    t.equal(await slots(store), 0);
    await beginNext(store, 'key-2');
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
      begin: store.begin(beginWith(freely()), 1),
      outlook: store.outlook([]),
      keyIds: store.keyIds(),
      takeCall: store.takeCall(KEY, freely().calls),
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
