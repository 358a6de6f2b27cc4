/** The part of the contract on records that cannot be read and that hold something. */

import type { Avatar } from '../../src/domain/avatar.js';
import { accepted } from '../../src/domain/moves.js';
import { dayOf } from '../../src/domain/spend.js';
import { encodeRecord } from '../../src/store/record.js';
import type { Store } from '../../src/store/store.js';
import type { Check, Opened } from './contract-damage.js';
import {
  avatarOf,
  beginNext,
  beginWith,
  CALLER,
  claim,
  dueIn,
  dueInTurn,
  EVERYTHING,
  freely,
  idsOf,
  KEY,
  LONG,
  SUBMISSION,
} from './fixtures.js';

const CORRUPT = Buffer.from('not a record');
const NEWER = Buffer.from('9 {"whatever":"a newer release writes"}');
const SPEND = { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null };

const damage = (opened: Opened, { id }: Pick<Avatar, 'id'>) =>
  opened.raw((raw) => raw.overwrite(id, CORRUPT));
const ofKey = async (store: Store) => (await store.outlook([KEY])).keys.get(KEY);

/** Begins one submit; what was found damaged meanwhile may have taken the place of a call. */
async function beginsOne(store: Store): Promise<string[]> {
  for (let i = 0; i < 3; i++) {
    const { begun } = await store.begin(beginWith({ ...freely(), slots: 1 }), 1);
    if (begun.length > 0) return idsOf(begun);
  }
  return [];
}

export function quarantine(check: Check): void {
  check('a corrupt record leaves the queue, and the others go on', async (t, opened) => {
    const [bad, good, last] = await dueInTurn(opened.store, 3, LONG);
    await damage(opened, bad);
    t.same(await beginsOne(opened.store), [good.id], 'with the one slot there is');
    t.match(await opened.store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
    t.equal((await opened.store.find(last.caller, last.id))?.ahead, 0);
    t.same(opened.store.health(), { corruptRecords: 1 });
    t.same(await opened.raw((raw) => raw.quarantined(bad.id)), CORRUPT);
    t.match(await opened.store.outlook([KEY]), { queued: 1, queuedBytes: SUBMISSION.length });
    t.equal((await ofKey(opened.store))?.slots, 1);
  });

  for (const status of ['submitting', 'pending'] as const) {
    check(`a corrupt record gives its slot back: ${status}`, async (t, opened) => {
      const { avatar } = await opened.store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
      const begun = await beginNext(opened.store);
      const next = status === 'pending' ? accepted(begun.avatar, 'task-1', 0) : begun.avatar;
      await opened.store.save(next, 2, { dueInMs: 0, submission: 'keep' });
      await damage(opened, avatar);
      t.match(await ofKey(opened.store), { slots: 1 }, 'while nobody knows');
      t.same(await claim(opened.store, status === 'pending' ? KEY : null, 9), []);
      t.same(await ofKey(opened.store), { slots: 0, due: 0, dueInMs: null });
      t.same(await opened.store.keyIds(), []);
      t.same(opened.store.health(), { corruptRecords: 1 });
      await opened.raw(async () => {});
      t.same(await ofKey(opened.store), { slots: 0, due: 0, dueInMs: null });
    });
  }

  check('[B7] [F51] a quarantined record costs its caller nothing', async (t, opened) => {
    const today = dayOf(Date.now());
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const avatar = avatarOf({ idempotency, spend: SPEND, createdAt: Date.now() });
    const large = [Buffer.alloc(600_000, 'a')];
    await opened.store.admit(avatar, large, dueIn(LONG));
    await damage(opened, avatar);
    await t.rejects(opened.store.find(CALLER, avatar.id), { name: 'CorruptRecordError' });
    t.same(await opened.submissions(), [], 'its submission is gone');
    t.match(await opened.store.outlook([]), { queued: 0, queuedBytes: 0, dueInMs: null });
    t.same((await opened.store.list(CALLER, EVERYTHING)).found, []);
    const limits = { maxUnfinished: 1, caps: { day: SPEND.reserved.units, month: SPEND.reserved.units } };
    const next = avatarOf({ spend: SPEND, createdAt: Date.now() });
    t.match(await opened.store.admit(next, [SUBMISSION], dueIn(LONG, limits)), { outcome: 'queued' });
    t.match(await opened.store.use(CALLER, today, today), [{ reserved: { avatars: 1 } }]);
  });

  check('[B7] [F51] the key of a damaged record says so, and others are admitted', async (t, opened) => {
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const { avatar } = await opened.store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG));
    await damage(opened, avatar);
    const limits = { maxUnfinished: 1, bounds: { maxAvatars: 1, maxBytes: SUBMISSION.length } };
    for (let i = 0; i < 3; i++) {
      const again = opened.store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG));
      await t.rejects(again, { name: 'CorruptRecordError' });
    }
    t.same(opened.store.health(), { corruptRecords: 1 });
    const other = await opened.store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, limits));
    t.equal(other.outcome, 'queued');
  });

  check("a newer release's record keeps its place and stops nobody behind it", async (t, opened) => {
    const [one, two, good, last] = (await dueInTurn(opened.store, 4, LONG)) as [
      Avatar,
      Avatar,
      Avatar,
      Avatar,
    ];
    for (const { id } of [one, two]) await opened.raw((raw) => raw.overwrite(id, NEWER));
    t.same(await beginsOne(opened.store), [good.id]);
    t.equal((await opened.store.outlook([])).queued, 3);
    t.same(await opened.raw((raw) => raw.record(one.id)), NEWER);
    for (const avatar of [one, two]) {
      await opened.raw((raw) => raw.overwrite(avatar.id, encodeRecord(avatar)));
    }
    t.match(await opened.store.find(CALLER, one.id), { avatar: one, version: 1 }, 'nobody had it');
    const { begun } = await opened.store.begin(beginWith(freely()), 9);
    t.same(idsOf(begun), idsOf([one, two, last]));
  });
}
