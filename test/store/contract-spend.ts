/** The part of the contract on what avatars cost their callers, and on the limits of callers. */

import type { Avatar, Spend } from '../../src/domain/avatar.js';
import { EVERYONE } from '../../src/domain/caller.js';
import {
  accepted,
  beginSubmit,
  canceled,
  failed,
  polled,
  requeued,
  succeeded,
  timedOut,
  unconfirmed,
} from '../../src/domain/moves.js';
import { type Amount, dayOf, type SettledAmount } from '../../src/domain/spend.js';
import type { Save, Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, beginFirst, beginNext, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';

const KEEP: Save = { dueInMs: LONG, submission: 'keep' };
const SPEND: Spend = { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null };
/** Noon, so that a day before and after is the day before and after. */
const NOON = new Date(`${dayOf(Date.now())}T12:00:00Z`).getTime();
const DAY_MS = 24 * 3_600_000;
const TODAY = dayOf(NOON);

const paid = (change: Partial<Avatar> = {}) => avatarOf({ spend: SPEND, createdAt: NOON, ...change });
const amount = (avatars: number, { durationMs, units } = SPEND.reserved): Amount => ({
  avatars,
  durationMs: avatars * durationMs,
  units: avatars * units,
});
const NOTHING = amount(0);
const settled = (avatars: number, cost = SPEND.reserved, billed: number | null = null): SettledAmount => ({
  ...amount(avatars, { ...cost, units: billed ?? cost.units }),
  estimated: avatars * cost.units,
  billed: avatars * (billed ?? 0),
});
const NONE = settled(0);

/** `spent`: `null` where the avatar was known. */
async function create(store: Store, change: Partial<Avatar> = {}, limits = {}) {
  const { outcome, ...admitted } = await store.admit(paid(change), [SUBMISSION], dueIn(LONG, limits));
  return { spent: null, ...admitted };
}
const today = (store: Store) => store.use(CALLER, TODAY, TODAY);
const row = (reserved: Amount, settled = NONE, change = {}) => ({
  ...{ caller: CALLER, date: TODAY, mode: 'std', reserved, settled },
  ...change,
});

const ENDING = { now: NOON, retentionMs: LONG };
const FAILURE = { type: 'task-failed', detail: 'no', upstreamStatus: null } as const;
const VIDEO = {
  ...{ url: 'https://v', format: null, width: null, height: null, bytes: null },
  ...{ expiresAt: null, keptBytes: null },
};
const begun = (avatar: Avatar) => beginSubmit(avatar, 'key-1', 'intent-1');
const pending = (avatar: Avatar) => accepted(avatar, `task-${avatar.id}`, 0);
const lost = (avatar: Avatar) => unconfirmed(avatar, FAILURE, ENDING);
const refused = (avatar: Avatar) => failed(avatar, FAILURE, ENDING);
const made = (avatar: Avatar) => succeeded(avatar, VIDEO, ENDING, false);
const counted = (change: Partial<Spend>) => (avatar: Avatar) => ({
  ...avatar,
  spend: avatar.spend && { ...avatar.spend, ...change },
});
const told = (avatar: Avatar) => ({ ...avatar, failures: avatar.failures + 1 });
const SHORTER = { durationMs: 7000, units: 3136 };
const BILLED = 2400;

/** The moves of an avatar, and what it is counted as after the last. */
const ENDS: Readonly<Record<string, readonly [((avatar: Avatar) => Avatar)[], Amount, SettledAmount]>> = {
  submitting: [[begun], amount(1), NONE],
  'queued again': [[begun, requeued], amount(1), NONE],
  pending: [[begun, pending], amount(1), NONE],
  processing: [[begun, pending, (avatar) => polled(avatar, 'processing', 0)], amount(1), NONE],
  succeeded: [[begun, pending, made], NOTHING, settled(1)],
  'succeeded, and told': [[begun, pending, made, told], NOTHING, settled(1)],
  'succeeded, of another length': [
    [begun, pending, (avatar) => counted({ settled: SHORTER })(made(avatar))],
    NOTHING,
    settled(1, SHORTER),
  ],
  'succeeded, and billed': [
    [begun, pending, (avatar) => counted({ billed: BILLED })(made(avatar)), told],
    NOTHING,
    settled(1, SPEND.reserved, BILLED),
  ],
  'succeeded, and billed at nothing': [
    [begun, pending, (avatar) => counted({ billed: 0 })(made(avatar))],
    NOTHING,
    settled(1, SPEND.reserved, 0),
  ],
  'failed as a task, and billed all the same': [
    [begun, pending, (avatar) => counted({ billed: BILLED })(refused(avatar)), told],
    NOTHING,
    settled(1, SPEND.reserved, BILLED),
  ],
  'refused by Modellix': [[begun, refused], NOTHING, NONE],
  'failed as a task': [[begun, pending, refused, told], NOTHING, NONE],
  'never sent': [[refused], NOTHING, NONE],
  canceled: [[(avatar) => canceled(avatar, ENDING)], NOTHING, NONE],
  unconfirmed: [[begun, lost], amount(1), NONE],
  'unconfirmed, and found to be made': [[begun, lost, pending], amount(1), NONE],
  'unconfirmed, found, and succeeded': [[begun, lost, pending, made], NOTHING, settled(1)],
  'unconfirmed, and found not to be made': [[begun, lost, refused], NOTHING, NONE],
  'timed out': [[begun, pending, (avatar) => timedOut(avatar, FAILURE, ENDING)], amount(1), NONE],
};

export function spending(check: Check): void {
  check('what an avatar counts for follows from its status', async (t, { store }) => {
    let reserved = await sumOf(store, 'reserved');
    let spent = await sumOf(store, 'settled');
    t.same([reserved, spent], [NOTHING, NONE]);
    for (const [end, [moves, reserves, settles]] of Object.entries(ENDS)) {
      let { avatar, version } = await create(store);
      t.same(await sumOf(store, 'reserved'), plus(reserved, amount(1)), `${end}: accepted`);
      for (const move of moves) {
        if (move === begun) avatar = (await beginNext(store)).avatar;
        else {
          avatar = move(avatar);
          for (let i = 0; i < 2; i++) t.match(await store.save(avatar, version, KEEP), { saved: true });
          const stale = { ...avatar, polls: 99 };
          t.match(await store.save(stale, version, KEEP), { saved: false }, 'stale');
        }
        version += 1;
      }
      [reserved, spent] = [plus(reserved, reserves), plus(spent, settles)];
      t.same([await sumOf(store, 'reserved'), await sumOf(store, 'settled')], [reserved, spent], end);
      t.equal(await store.remove(avatar.id, version), true);
      if (avatar.status === 'queued' || avatar.status === 'submitting') reserved = plus(reserved, amount(-1));
      t.same([await sumOf(store, 'reserved'), await sumOf(store, 'settled')], [reserved, spent], 'gone');
    }
  });

  check(
    'a creation that is taken back costs nothing, and one that is refused neither',
    async (t, { store }) => {
      const { avatar, version } = await create(store);
      t.match(await create(store, { id: avatar.id }), { version: 1 }, 'the same call again');
      await t.rejects(create(store, {}, { bounds: { maxAvatars: 1, maxBytes: 1e6 } }), {
        name: 'QueueFullError',
      });
      t.equal(await store.remove(avatar.id, version + 1), false);
      t.same(await today(store), [row(amount(1))]);
      t.equal(await store.remove(avatar.id, version), true);
      t.same(await today(store), []);
    },
  );

  check('what an earlier release accepted counts nothing, ever', async (t, { store }) => {
    const { avatar, spent } = await create(store, { spend: null }, { caps: { day: 0, month: 0 } });
    t.same(spent, { day: 0, month: 0 });
    const saves = [begun(avatar), pending(begun(avatar)), made(pending(begun(avatar)))];
    for (const [i, each] of saves.entries()) await store.save(each, i + 1, KEEP);
    const { avatar: queued, version } = await create(store, { spend: null });
    await store.remove(queued.id, version);
    t.same(await store.use(EVERYONE, '2020-01-01', TODAY), []);
  });

  check('it is counted by caller, by mode, and on the day on which it was accepted', async (t, { store }) => {
    const [before, after] = [NOON - DAY_MS, NOON + DAY_MS];
    const spend = { ...SPEND, reserved: { durationMs: 7200, units: 6451 } };
    for (const createdAt of [after, before, NOON]) await create(store, { createdAt });
    await create(store, { mode: 'pro', spend });
    await create(store, { caller: 'team-b' });
    await create(store, { caller: 'a-team' });
    const date = dayOf(before);
    const mine = [
      row(amount(1), NONE, { date }),
      row(amount(1, spend.reserved), NONE, { mode: 'pro' }),
      row(amount(1)),
      row(amount(1), NONE, { date: dayOf(after) }),
    ];
    t.same(await store.use(CALLER, date, dayOf(after)), mine);
    t.same(await store.use(CALLER, TODAY, TODAY), mine.slice(1, 3));
    t.same(await store.use(CALLER, date, date), mine.slice(0, 1));
    const [first, last] = ['a-team', 'team-b'].map((caller) => row(amount(1), NONE, { caller }));
    t.same(await store.use(EVERYONE, date, dayOf(after)), [first, ...mine, last]);
    t.same(await store.use('nobody', date, dayOf(after)), []);
  });

  check('who creates is told what was spent on the day and in the month', async (t, { store }) => {
    const middle = Date.UTC(2026, 9, 14);
    const units = SPEND.reserved.units;
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const limits = { caps: { day: 1e9, month: null } };
    const first = await create(store, { createdAt: middle, idempotency }, limits);
    t.same(first.spent, { day: units, month: units });
    await store.save(made(pending(begun(first.avatar))), 1, KEEP);
    t.same((await create(store, { createdAt: middle + DAY_MS }, limits)).spent, {
      day: units,
      month: 2 * units,
    });
    const { spent } = await create(store, { createdAt: middle, mode: 'pro' }, limits);
    t.same(spent, { day: 2 * units, month: 3 * units });
    t.same((await create(store, { createdAt: middle + 30 * DAY_MS }, limits)).spent, {
      day: units,
      month: units,
    });
    t.same((await create(store, { createdAt: middle, caller: 'team-b' }, limits)).spent?.month, units);
    t.same((await create(store, { createdAt: middle, spend: null }, limits)).spent, {
      ...{ day: 2 * units, month: 3 * units },
    });
    t.equal((await create(store, { createdAt: middle, idempotency }, limits)).spent, null);
  });

  for (const [span, caps, other] of [
    ['day', { day: 10 * SPEND.reserved.units, month: null }, NOON + DAY_MS],
    ['month', { day: null, month: 10 * SPEND.reserved.units }, NOON + 40 * DAY_MS],
  ] as const) {
    check(`of 200 created at once under a cap of 10 avatars a ${span}, 10 are`, async (t, opened) => {
      const { store } = opened;
      const results = await Promise.allSettled(
        Array.from({ length: 200 }, () => create(store, {}, { caps })),
      );
      t.equal(results.filter(({ status }) => status === 'fulfilled').length, 10);
      const refusals = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      for (const refusal of refusals) t.match(refusal, { name: 'CallerLimitError', limit: span });
      t.same(await today(store), [row(amount(10))]);
      t.match(await store.outlook([]), { queued: 10, queuedBytes: 10 * SUBMISSION.length });
      t.equal((await opened.submissions()).length, 10, 'nothing is left of the others');

      const free = { ...SPEND, reserved: { durationMs: 0, units: 0 } };
      t.match(await create(store, { spend: free }, { caps }), { version: 1 });
      t.match(await create(store, { createdAt: other }, { caps }), { version: 1 });
      t.match(await create(store, { caller: 'team-b' }, { caps }), { version: 1 });
      const [first] = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value.avatar] : []));
      if (first !== undefined) await store.save(refused(first), 1, KEEP);
      t.match(await create(store, {}, { caps }), { version: 1 }, 'what was released can be spent');
      await t.rejects(create(store, {}, { caps: { day: 1, month: 1 } }), refusalOf('day'), 'a lower cap');
    });
  }

  check('a cap counts what was billed, whatever it was to cost', async (t, { store }) => {
    const caps = { day: SPEND.reserved.units + BILLED, month: null };
    const { avatar } = await create(store, {}, { caps });
    await t.rejects(create(store, {}, { caps }), refusalOf('day'));
    const bill = (billed: number) => counted({ billed })(made(pending(begun(avatar))));
    t.match(await store.save(bill(BILLED), 1, KEEP), { saved: true });
    const { spent } = await create(store, {}, { caps });
    t.same(spent, { day: caps.day, month: caps.day });
    t.same(await today(store), [row(amount(1), settled(1, SPEND.reserved, BILLED))]);
  });

  check('a large submission that is refused by a cap leaves nothing', async (t, opened) => {
    const large = [Buffer.alloc(600_000, 'a')];
    const caps = { day: null, month: SPEND.reserved.units };
    const creation = dueIn(LONG, { caps });
    const creations = [1, 2, 3].map(() => opened.store.admit(paid(), large, creation));
    const results = await Promise.allSettled(creations);
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    t.equal((await opened.submissions()).length, 1);
    t.same(await today(opened.store), [row(amount(1))]);
  });

  check('a key that was used is answered whatever the limits', async (t, { store }) => {
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const limits = { caps: { day: 0, month: 0 }, maxUnfinished: 0 };
    const { avatar } = await create(store, { idempotency });
    t.match(await create(store, { idempotency }, limits), { avatar: { id: avatar.id }, spent: null });
    await t.rejects(create(store, {}, limits), refusalOf('unfinished'));
  });

  check('as many are unfinished as a caller may have, also of 50 at once', async (t, { store }) => {
    const limits = { maxUnfinished: 4 };
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => create(store, { externalId: 'order-1' }, limits)),
    );
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 4);
    t.same(await today(store), [row(amount(4))]);
    const isFull = (when: string) => t.rejects(create(store, {}, limits), refusalOf('unfinished'), when);
    const [one, two] = (await beginFirst(store, 2)).map(({ avatar }) => avatar) as [Avatar, Avatar];
    await store.save(pending(two), 2, KEEP);
    await isFull('they are under way');
    await store.save(made(pending(two)), 3, KEEP);
    await create(store, {}, limits);
    await isFull('one has succeeded');
    await store.save(lost(one), 2, KEEP);
    const last = await create(store, {}, limits);
    await isFull('one is unconfirmed');
    await store.save(pending(lost(one)), 3, KEEP);
    await store.remove(last.avatar.id, 1);
    await isFull('it was found, and another one taken back');
    t.match(await create(store, { caller: 'team-b' }, limits), { version: 1 });
    t.match(await create(store, {}, { maxUnfinished: 5 }), { version: 1 });
    t.match(await create(store), { version: 1 });
  });
}

const refusalOf = (limit: string) => ({ name: 'CallerLimitError', limit });

/** Of all modes today. */
async function sumOf<State extends 'reserved' | 'settled'>(store: Store, state: State) {
  const nothing = { reserved: NOTHING, settled: NONE };
  return (await today(store)).map((each) => each[state]).reduce(plus, nothing[state]);
}

function plus<Sums extends Amount>(a: Sums, b: Sums): Sums {
  const names = Object.keys(a) as (keyof Sums)[];
  return Object.fromEntries(
    names.map((name) => [name, Number(a[name]) + Number(b[name])]),
  ) as unknown as Sums;
}
