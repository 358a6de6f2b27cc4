/** The part of the contract on begins: what one write changes, which key is taken, the same call again. */

import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, beginSubmit, failed, requeued } from '../../src/domain/moves.js';
import { dayOf } from '../../src/domain/spend.js';
import type { Change, Store, SubmitTerms } from '../../src/store/store.js';
import { until } from '../support/until.js';
import type { Check } from './contract-damage.js';
import {
  avatarOf,
  beginNext,
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

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;
const DROP = { dueInMs: LONG, submission: 'drop' } as const;
const FAILURE = { type: 'never-sent', detail: 'no', upstreamStatus: null } as const;
const ENDING = { now: 0, retentionMs: LONG };
const SPEND = { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null };

async function queueUp(store: Store, count: number, change: Partial<Avatar> = {}): Promise<Avatar[]> {
  const made: Avatar[] = [];
  while (made.length < count) {
    made.push((await store.admit(avatarOf(change), [SUBMISSION], dueIn(LONG))).avatar);
  }
  return made;
}

const terms = (keyId: string, slots: number): SubmitTerms => ({ ...freely(keyId), slots });

/** Which key each of several submits was begun with. */
async function keysOf(store: Store, limit: number, ...keys: SubmitTerms[]): Promise<(string | null)[]> {
  return (await store.begin(beginWith(...keys), limit)).begun.map(({ avatar }) => avatar.keyId);
}

const slots = async (store: Store, keyId = KEY) => (await store.outlook([keyId])).keys.get(keyId)?.slots;

export function begins(check: Check): void {
  check('a begin writes all that an intent is', async (t, { store }) => {
    const [avatar] = await queueUp(store, 1, { spend: SPEND, createdAt: Date.now() });
    if (avatar === undefined) throw new Error('one was queued');
    const before = (await store.feed(CALLER, null, 9)).last;
    const { begun, waitMs } = await store.begin({ intent: 'intent-7', keys: [freely()], leaseMs: 60_000 }, 9);
    const submitting = beginSubmit(avatar, KEY, 'intent-7');
    t.match(begun, [{ avatar: submitting, version: 2, now: Number, submission: SUBMISSION }]);
    t.same(begun[0]?.avatar, submitting, 'and nothing else of it');
    t.equal(waitMs, null);
    t.match(await store.find(CALLER, avatar.id), { avatar: submitting, version: 2, ahead: null });
    const outlook = await store.outlook([KEY]);
    t.match(outlook, { queued: 0, queuedBytes: 0 });
    t.ok(outlook.dueInMs !== null && outlook.dueInMs > 0 && outlook.dueInMs <= 60_000, `${outlook.dueInMs}`);
    t.same(outlook.keys.get(KEY), { slots: 1, due: 0, dueInMs: null });
    t.same(idsOf((await store.list(CALLER, { ...EVERYTHING, statuses: ['submitting'] })).found), [avatar.id]);
    t.same((await store.list(CALLER, { ...EVERYTHING, statuses: ['queued'] })).found, []);
    t.match((await store.feed(CALLER, before, 9)).changed, [{ avatar: { id: avatar.id }, version: 2 }]);
    const day = dayOf(Date.now());
    t.match(await store.use(CALLER, day, day), [{ reserved: { avatars: 1 }, settled: { avatars: 0 } }]);
    const limits = dueIn(LONG, { maxUnfinished: 1 });
    await t.rejects(store.admit(avatarOf(), [SUBMISSION], limits), {
      ...{ name: 'CallerLimitError', limit: 'unfinished' },
    });
    t.same(await store.save(avatar, 1, KEEP), { saved: false, reason: 'stale' });
    t.same(await store.save(accepted(submitting, 'task-1', 0), 2, DROP), { saved: true, version: 3 });
  });

  check('a submit whose lease is over is due in the common index', async (t, { store }) => {
    await queueUp(store, 1);
    const { begun } = await store.begin({ ...beginWith(freely()), leaseMs: 0 }, 1);
    t.same(await claim(store, KEY, 9), []);
    const claimed = await claim(store, null, 9);
    t.match(claimed, [{ avatar: begun[0]?.avatar, version: 3 }]);
    const late = accepted(claimed[0]?.avatar ?? avatarOf(), 'task-1', 0);
    t.same(await store.save(late, 2, DROP), { saved: false, reason: 'stale' });
  });

  check('what has waited for as long as it may is not begun, be it claimed or not', async (t, { store }) => {
    const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
    const [behind] = await queueUp(store, 1);
    const begin = async () => idsOf((await store.begin(beginWith(freely()), 9)).begun);
    t.same(await begin(), [behind?.id]);
    t.match(await claim(store, null, 9), [{ avatar, version: 2 }], 'whoever ends it has it');
    t.same(await begin(), []);
    t.match(await store.save(avatar, 2, KEEP), { saved: true }, 'it may wait longer');
    t.same(await begin(), [avatar.id]);
  });

  check('the attempts of an avatar that comes back are counted', async (t, { store }) => {
    await queueUp(store, 1);
    for (const attempt of [1, 2, 3]) {
      const { avatar, version } = await beginNext(store, `key-${attempt}`);
      t.match(avatar, { attempt, keyId: `key-${attempt}`, failures: attempt - 1 });
      t.equal(version, 2 * attempt);
      await store.save(requeued(avatar), version, KEEP);
    }
    t.match(await store.outlook([]), { queued: 1, queuedBytes: SUBMISSION.length });
  });

  check('large ones are begun as many as may be, and nobody passes one', async (t, { store }) => {
    const made: string[] = [];
    for (const bytes of [9, 300_000, 300_000, 9, 300_000, 9]) {
      const { avatar } = await store.admit(avatarOf(), [Buffer.alloc(bytes, 7)], dueIn(LONG));
      made.push(avatar.id);
    }
    const begin = async (limit: number, large: number) => {
      const { begun, waitMs } = await store.begin(beginWith(freely()), limit, large);
      t.equal(waitMs, null, 'it is no call that is missing');
      for (const { avatar, submission } of begun) {
        const whole = await store.submission(avatar.id);
        t.same(submission, whole?.length === 9 ? whole : null, 'what is large does not come along');
      }
      return idsOf(begun);
    };
    t.same(await begin(9, 0), made.slice(0, 1));
    t.same(await begin(9, 0), [], 'all wait behind a large one');
    t.same(await begin(1, 9), made.slice(1, 2));
    t.same(await begin(9, 1), made.slice(2, 4));
    t.same(await begin(9, 2), made.slice(4));
  });

  check('one that is taken back before it was sent costs nothing', async (t, { store }) => {
    const createdAt = Date.now();
    const day = dayOf(createdAt);
    for (const begin of [beginWith(freely()), undefined]) {
      const limits = dueIn(LONG, begin === undefined ? {} : { begin });
      const { avatar, version } = await store.admit(
        avatarOf({ createdAt, spend: SPEND }),
        [SUBMISSION],
        limits,
      );
      t.match(await store.use(CALLER, day, day), [{ reserved: { avatars: 1 } }]);
      t.ok(await store.remove(avatar.id, version));
      t.notMatch(await store.use(CALLER, day, day), [{ reserved: { avatars: 1 } }]);
    }
  });

  check('as many are begun as there are slots, and as were asked for', async (t, { store }) => {
    const made = await queueUp(store, 6);
    const begin = async (limit: number, slots: number) => {
      const { begun, waitMs } = await store.begin(beginWith(terms(KEY, slots)), limit);
      return [idsOf(begun), waitMs];
    };
    t.same((await begin(2, 9))[0], idsOf(made.slice(0, 2)));
    t.same(await begin(9, 3), [idsOf(made.slice(2, 3)), null]);
    t.same(await begin(9, 3), [[], null]);
    t.same(await begin(9, 1), [[], null], 'fewer than are held');
    t.same(await begin(9, 9), [idsOf(made.slice(3)), null]);
    t.same(await begin(9, 9), [[], null], 'nothing is queued');
    t.same(await store.begin(beginWith(), 9), { begun: [], waitMs: null }, 'no key');
  });

  check('the key with the most free slots is taken, one by one', async (t, { store }) => {
    await queueUp(store, 12);
    t.same(await keysOf(store, 3, terms('a', 2), terms('b', 6)), ['b', 'b', 'b']);
    t.same(await keysOf(store, 2, terms('a', 5), terms('b', 6)), ['a', 'a']);
    t.same((await keysOf(store, 4, terms('a', 4), terms('b', 5))).toSorted(), ['a', 'a', 'b', 'b']);
    t.same(await keysOf(store, 9, terms('a', 4), terms('b', 5)), []);
    t.same([await slots(store, 'a'), await slots(store, 'b')], [4, 5]);
  });

  check('a key without a call leaves its turn to others', async (t, { store }) => {
    await queueUp(store, 5);
    const slow = { keyId: 'slow', slots: 99, calls: { intervalMs: LONG, burst: 1 } };
    const { begun, waitMs } = await store.begin(beginWith(slow, terms('b', 2)), 9);
    t.same(
      begun.map(({ avatar }) => avatar.keyId),
      ['slow', 'b', 'b'],
    );
    t.ok(waitMs !== null && waitMs > 0 && waitMs <= LONG, `${waitMs}`);
  });

  check('a submission comes along where it is small, and is there where it is not', async (t, { store }) => {
    const sizes = [0, 10, 90_000, 600_000];
    for (const size of sizes) await store.admit(avatarOf(), [Buffer.alloc(size, 'a')], dueIn(LONG));
    const { begun } = await store.begin(beginWith(freely()), 9);
    for (const [i, { avatar, submission }] of begun.entries()) {
      const whole = Buffer.alloc(sizes[i] ?? 0, 'a');
      if (whole.length > 100_000) t.equal(submission, null);
      else t.ok(submission?.equals(whole), `${whole.length} bytes`);
      t.ok((await store.submission(avatar.id))?.equals(whole), `${whole.length} bytes, read`);
    }
    t.equal(begun.length, sizes.length);
  });

  check('the same begin again, because its reply was lost, begins nothing new', async (t, { store }) => {
    const made = await queueUp(store, 6);
    const begin = beginWith({ keyId: KEY, slots: 9, calls: { intervalMs: LONG, burst: 4 } });
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => store.begin(begin, 3)));
    t.same(idsOf(first?.begun ?? []), idsOf(made.slice(0, 3)));
    for (const again of [second, third]) t.same(again?.begun.map(plain), first?.begun.map(plain));
    t.equal(await slots(store), 3);
    t.equal((await store.outlook([])).queued, 3);

    const [one, two] = first?.begun ?? [];
    if (one === undefined || two === undefined) throw new Error('three were begun');
    await store.save(accepted(one.avatar, 'task-1', 0), one.version, DROP);
    await store.save(requeued(two.avatar), two.version, KEEP);
    t.same((await store.begin(begin, 3)).begun.map(plain), first?.begun.slice(2).map(plain), 'what still is');
    const other = await store.begin({ ...begin, intent: 'another' }, 9);
    t.same(idsOf(other.begun), [two.avatar.id], 'one call was left');
  });

  check('begins with one name by several at once begin as many as one', async (t, opened) => {
    const stores = [opened.store, (await opened.peer?.()) ?? opened.store];
    await queueUp(opened.store, 9);
    const begin = beginWith(freely());
    const begun = await Promise.all(
      stores.flatMap((store) => [store.begin(begin, 4), store.begin(begin, 4)]),
    );
    for (const each of begun) t.same(each.begun.map(plain), begun[0]?.begun.map(plain));
    t.equal(begun[0]?.begun.length, 4);
    t.equal((await opened.store.outlook([])).queued, 5);
  });

  check('whoever listens hears of what was begun, here and with an admission', async (t, { store }) => {
    const heard: Change[] = [];
    let ready = false;
    store.onChange((change) => {
      if (change !== null && change.caller !== 'probe') heard.push(change);
      ready = true;
    });
    const probe = async () => {
      await store.admit(avatarOf({ caller: 'probe' }), [SUBMISSION], dueIn(LONG));
      return ready || null;
    };
    await until('it listens', probe, { everyMs: 5 });
    await store.begin(beginWith(freely('probe')), 1e4);
    const [one] = (await queueUp(store, 1)) as [Avatar];
    const { begun } = await store.begin(beginWith(freely()), 1);
    const { avatar: two } = await store.admit(
      avatarOf(),
      [SUBMISSION],
      dueIn(LONG, { begin: beginWith(freely()) }),
    );
    await until('all is heard', async () => heard.length >= 3 || null, { everyMs: 5 });
    const places = (await store.feed(CALLER, 0, 9)).changed.map(({ at }) => at);
    t.match(heard, [
      { id: one.id, caller: CALLER, version: 1, at: Number },
      { id: one.id, caller: CALLER, version: 2, at: places[0] },
      { id: two.id, caller: CALLER, version: 1, at: places[1] },
    ]);
    t.equal(heard.length, 3);
    t.ok((heard[0]?.at ?? 0) < (places[0] ?? 0), 'a later place');
    t.equal(begun.length, 1);
  });

  check('a begin takes the place of one that ended, whatever it became', async (t, { store }) => {
    await queueUp(store, 4);
    const begin = async () => (await store.begin(beginWith(terms(KEY, 1)), 9)).begun;
    for (let i = 0; i < 4; i++) {
      const [next, ...rest] = await begin();
      if (next === undefined) throw new Error('a slot was free');
      t.same(rest, []);
      t.same(await begin(), []);
      const { avatar, version } = next;
      if (i === 0) await store.remove(avatar.id, version);
      else await store.save(failed(avatar, FAILURE, ENDING), version, DROP);
    }
    t.equal(await slots(store), 0);
  });
}

/** Without the clock. */
const plain = ({
  avatar,
  version,
  submission,
}: {
  avatar: Avatar;
  version: number;
  submission: Buffer | null;
}) => ({
  ...{ avatar, version },
  submission: submission?.toString('hex'),
});
