/** The part of the contract on records that cannot be read and that hold something. */

import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, beginSubmit } from '../../src/domain/moves.js';
import { encodeRecord } from '../../src/store/record.js';
import type { Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, dueIn, dueInTurn, idsOf, LONG, SUBMISSION } from './fixtures.js';

const KEY = 'key-1';
const CORRUPT = Buffer.from('not a record');
const NEWER = Buffer.from('9 {"whatever":"a newer release writes"}');

const begun = (avatar: Avatar) => beginSubmit(avatar, KEY, 'intent-1');
const holding: Record<string, { next: (avatar: Avatar) => Avatar; lane: string | null }> = {
  submitting: { next: begun, lane: null },
  pending: { next: (avatar) => accepted(begun(avatar), 'task-1', 0), lane: KEY },
};

export function setAsideReleases(check: Check): void {
  check('a corrupt record leaves the queue, and the others go on', async (t, opened) => {
    const [bad, good] = await dueInTurn(opened.store, 2);
    await opened.raw((raw) => raw.overwrite(bad.id, CORRUPT));
    t.same(idsOf(await opened.store.next(1)), [good.id]);
    t.match(await opened.store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
    t.equal((await opened.store.find(good.caller, good.id))?.ahead, 0);
    t.same(opened.store.health(), { corruptRecords: 1 });
    t.same(await opened.raw((raw) => raw.aside(bad.id)), CORRUPT);
    t.match(await opened.store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
  });

  for (const [status, { next, lane }] of Object.entries(holding)) {
    check(`a corrupt record gives its slot back: ${status}`, async (t, opened) => {
      const { avatar } = await opened.store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
      await opened.store.save(next(avatar), 1, { dueInMs: 0, submission: 'keep', slots: 1 });
      await opened.raw((raw) => raw.overwrite(avatar.id, CORRUPT));
      t.match(await ofKey(opened.store), { slots: 1 }, 'while nobody knows');
      t.same(await opened.store.claim(lane, 9, LONG), []);
      t.same(await ofKey(opened.store), { slots: 0, due: 0, dueInMs: null });
      t.same(opened.store.health(), { corruptRecords: 1 });
      await opened.raw(async () => {});
      t.same(await ofKey(opened.store), { slots: 0, due: 0, dueInMs: null });
    });
  }

  check("a newer release's record keeps its place and stops nobody behind it", async (t, opened) => {
    const [one, two, good] = await dueInTurn(opened.store, 3);
    for (const { id } of [one, two]) await opened.raw((raw) => raw.overwrite(id, NEWER));
    t.same(idsOf(await opened.store.next(1)), [good.id]);
    t.same(idsOf(await opened.store.next(9)), [good.id]);
    t.equal((await opened.store.outlook([])).queued, 3);
    t.same(await opened.raw((raw) => raw.record(one.id)), NEWER);
    for (const avatar of [one, two]) {
      await opened.raw((raw) => raw.overwrite(avatar.id, encodeRecord(avatar)));
    }
    t.same(idsOf(await opened.store.next(9)), idsOf([one, two, good]), 'nobody had it');
  });
}

const ofKey = async (store: Store) => (await store.outlook([KEY])).lanes.get(KEY);
