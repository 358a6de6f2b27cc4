/** The part of the contract on admitting: the submit that is begun in the same write, and the same call again. */

import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, canceled } from '../../src/domain/moves.js';
import { dayOf } from '../../src/domain/spend.js';
import type { Admission, Begin, Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import {
  avatarOf,
  beginFirst,
  beginWith,
  CALLER,
  claim,
  dueIn,
  EVERYTHING,
  freely,
  idsOf,
  KEY,
  LONG,
  SUBMISSION,
} from './fixtures.js';

const DROP = { dueInMs: LONG, submission: 'drop' } as const;
const SPEND = { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null };

const admit = (store: Store, begin: Begin, change: Partial<Avatar> = {}, limits: Partial<Admission> = {}) =>
  store.admit(avatarOf(change), [SUBMISSION], dueIn(LONG, { begin, ...limits }));
const slots = async (store: Store, keyId = KEY) => (await store.outlook([keyId])).keys.get(keyId)?.slots;

export function admissions(check: Check): void {
  check('an admission begins the submit in the same write', async (t, { store }) => {
    const avatar = avatarOf();
    const begin = { ...beginWith({ ...freely(), slots: 1 }), leaseMs: 60_000 };
    const admitted = await store.admit(avatar, [SUBMISSION], dueIn(1e6, { begin }));
    const submitting = { ...avatar, status: 'submitting', keyId: KEY, attempt: 1, intent: begin.intent };
    t.match(admitted, { outcome: 'begun', avatar: submitting, version: 1 });
    t.same(admitted.avatar, submitting);
    t.match(await store.find(CALLER, avatar.id), { avatar: submitting, version: 1, ahead: null });
    t.same(await store.submission(avatar.id), SUBMISSION, 'it may come back to the queue');
    const outlook = await store.outlook([KEY]);
    t.match(outlook, { queued: 0, queuedBytes: 0 });
    t.ok(outlook.dueInMs !== null && outlook.dueInMs > 0 && outlook.dueInMs <= 60_000, `${outlook.dueInMs}`);
    t.same(outlook.keys.get(KEY), { slots: 1, due: 0, dueInMs: null });
    t.same(await store.keyIds(), []);
    const list = { ...EVERYTHING, statuses: ['submitting' as const] };
    t.same(idsOf((await store.list(CALLER, list)).found), [avatar.id]);
    t.same(await store.list(CALLER, { ...EVERYTHING, statuses: ['queued'] }), { found: [], next: null });
    t.same(idsOf((await store.feed(CALLER, 0, 9)).changed), [avatar.id]);
    const result = await store.save(accepted(admitted.avatar, 'task-1', 0), 1, DROP);
    t.same(result, { saved: true, version: 2 });
  });

  check('what was begun with its admission comes back to the queue in its turn', async (t, { store }) => {
    const { avatar, version } = await admit(store, beginWith(freely()));
    const second = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const back = { ...avatar, status: 'queued', failures: 1 } as const;
    t.match(await store.save(back, version, { dueInMs: LONG, submission: 'keep' }), { saved: true });
    t.same(await store.submission(avatar.id), SUBMISSION);
    t.same(idsOf(await beginFirst(store, 9)), idsOf([avatar, second]));
  });

  check('it is queued while anybody waits before it', async (t, { store }) => {
    const waits = await store.admit(avatarOf({ caller: 'team-b' }), [SUBMISSION], dueIn(LONG));
    const { outcome, avatar } = await admit(store, beginWith(freely()));
    t.same([outcome, avatar.status, avatar.intent], ['queued', 'queued', null]);
    t.equal(await slots(store), 0);
    await store.remove(waits.avatar.id, 1);
    t.equal((await admit(store, beginWith(freely()))).outcome, 'queued', 'the first one waits');
    await beginFirst(store, 9);
    t.equal((await admit(store, beginWith(freely()))).outcome, 'begun');
  });

  check('it is queued where no key has a slot, or a call', async (t, { store }) => {
    const one = { keyId: KEY, slots: 1, calls: { intervalMs: LONG, burst: 1 } };
    t.equal((await admit(store, beginWith())).outcome, 'queued', 'no key');
    await beginFirst(store, 1, 'key-2');
    const first = await admit(store, beginWith(one));
    t.equal(first.outcome, 'begun');
    const second = await admit(store, beginWith({ ...one, calls: freely().calls }));
    t.equal(second.outcome, 'queued', 'no slot');
    await store.remove(second.avatar.id, 1);
    const third = await admit(store, beginWith({ ...one, slots: 2 }));
    t.equal(third.outcome, 'queued', 'no call');
    t.match(third, { avatar: { keyId: null, attempt: 0 } });
    await store.remove(third.avatar.id, 1);
    t.equal((await admit(store, beginWith({ ...one, slots: 2 }, freely('key-3')))).outcome, 'begun');
    t.same([await slots(store), await slots(store, 'key-3')], [1, 1]);
  });

  check('the same admission again answers as the first: begun', async (t, { store }) => {
    const terms = { keyId: KEY, slots: 9, calls: { intervalMs: LONG, burst: 2 } };
    const begin = beginWith(terms);
    const spent = { day: 3226, month: 3226 };
    const caps = { day: 1e9, month: null };
    for (const idempotency of [null, { key: 'k', fingerprint: 'f' }]) {
      const avatar = avatarOf({
        spend: SPEND,
        idempotency,
        createdAt: Date.now(),
        caller: `c ${idempotency?.key}`,
      });
      const again = () =>
        store.admit(avatar, [SUBMISSION], dueIn(LONG, { begin: { ...begin, intent: avatar.id }, caps }));
      for (let i = 0; i < 3; i++) {
        t.match(await again(), {
          ...{ outcome: 'begun', version: 1, spent },
          avatar: { id: avatar.id, status: 'submitting', intent: avatar.id, attempt: 1 },
        });
      }
      const day = dayOf(Date.now());
      t.match(await store.use(avatar.caller, day, day), [{ reserved: { avatars: 1 } }]);
    }
    t.equal(await slots(store), 2, 'a slot for each, and a call');
    const { outcome } = await admit(store, beginWith(terms));
    t.equal(outcome, 'queued', 'no call was left');
  });

  check(
    'the same admission again answers as the first: queued, and what became of it',
    async (t, { store }) => {
      const begin = beginWith(freely());
      await store.admit(avatarOf({ caller: 'first' }), [SUBMISSION], dueIn(LONG));
      const avatar = avatarOf();
      const again = () => store.admit(avatar, [SUBMISSION], dueIn(LONG, { begin, maxUnfinished: 1 }));
      for (let i = 0; i < 3; i++) t.match(await again(), { outcome: 'queued', avatar, version: 1 });
      t.match(await store.outlook([]), { queued: 2, queuedBytes: 2 * SUBMISSION.length });
      await beginFirst(store, 2);
      t.match(
        await again(),
        { outcome: 'queued', avatar: { status: 'submitting' }, version: 2 },
        'of another intent',
      );
      const found = await store.find(CALLER, avatar.id);
      if (found === null) throw new Error('it is there');
      await store.save(accepted(found.avatar, 'task-1', 0), 2, DROP);
      t.match(await again(), { outcome: 'queued', avatar: { status: 'pending' }, version: 3 });
      t.equal((await claim(store, KEY, 9)).length, 0);
      t.equal(await slots(store), 2);
    },
  );

  check('the same admission again does not wake what was canceled', async (t, { store }) => {
    await store.admit(avatarOf({ caller: 'first' }), [SUBMISSION], dueIn(LONG));
    const avatar = avatarOf();
    const again = () => store.admit(avatar, [SUBMISSION], dueIn(LONG, { begin: beginWith(freely()) }));
    await again();
    await store.save(canceled(avatar, { now: 0, retentionMs: LONG }), 1, DROP);
    await beginFirst(store, 9);
    t.match(await again(), { avatar: { status: 'canceled' }, version: 2 });
    t.equal(await store.submission(avatar.id), null);
    t.equal((await store.outlook([])).queued, 0);
  });

  check('a key that was used is known before anything else, and begins nothing', async (t, { store }) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const first = await store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG));
    await beginFirst(store, 1, 'key-2');
    const limits = { maxUnfinished: 0, bounds: { maxAvatars: 0, maxBytes: 0 }, caps: { day: 0, month: 0 } };
    const known = await admit(store, beginWith(freely()), { idempotency, spend: SPEND }, limits);
    t.match(known, { outcome: 'known', avatar: { id: first.avatar.id, status: 'submitting' }, version: 2 });
    t.equal(await slots(store), 0);
  });

  check('the bounds of the queue are for what is queued, those of a caller for all', async (t, { store }) => {
    const bounds = { maxAvatars: 1, maxBytes: SUBMISSION.length };
    const begin = () => beginWith({ ...freely(), slots: 2 });
    const outcomes: string[] = [];
    while (outcomes.length < 3) outcomes.push((await admit(store, begin(), {}, { bounds })).outcome);
    t.same(outcomes, ['begun', 'begun', 'queued']);
    await t.rejects(admit(store, begin(), {}, { bounds }), { name: 'QueueFullError' });
    await t.rejects(admit(store, beginWith(freely()), {}, { maxUnfinished: 3 }), {
      ...{ name: 'CallerLimitError', limit: 'unfinished' },
    });
    const caps = { day: 1, month: null };
    await t.rejects(admit(store, beginWith(freely()), { spend: SPEND }, { caps }), {
      ...{ name: 'CallerLimitError', limit: 'day' },
    });
    t.equal(await slots(store), 2, 'whoever is refused takes nothing');
    t.match(await store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
  });

  check('once its creator was told, what was in doubt is there for everyone', async (t, { store }) => {
    const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, { doubtMs: LONG }));
    let begun: string[] = [];
    while (begun.length === 0) begun = idsOf(await beginFirst(store, 1));
    t.same(begun, [avatar.id]);
    t.equal((await admit(store, beginWith(freely()), {}, { doubtMs: LONG })).outcome, 'begun');
    t.equal((await admit(store, beginWith(freely()), {}, { doubtMs: LONG })).outcome, 'begun');
  });
}
