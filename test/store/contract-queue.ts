/** The part of the contract on the queue, slots, lanes, shared documents and changes. */

import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, beginSubmit, requeued, unconfirmed } from '../../src/domain/moves.js';
import { QueueFullError, type Save, type Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, CALLER, dueIn, idsOf, LONG, SUBMISSION } from './fixtures.js';

const KEY = 'key-1';
const KEEP: Save = { dueInMs: LONG, submission: 'keep' };
const DROP: Save = { dueInMs: LONG, submission: 'drop' };

/** Puts avatars of a caller in the queue, one after the other. */
async function queueUp(store: Store, caller: string, count: number): Promise<Avatar[]> {
  const made: Avatar[] = [];
  while (made.length < count) {
    made.push((await store.create(avatarOf({ caller }), [SUBMISSION], dueIn(LONG))).avatar);
  }
  return made;
}

/** Takes the first of the queue for a submit with a key. */
async function submitFirst(store: Store, keyId = KEY): Promise<{ avatar: Avatar; version: number }> {
  const [first] = await store.next(1);
  if (first === undefined) throw new Error('the queue is empty');
  const avatar = beginSubmit(first.avatar, keyId, 'intent-1');
  await store.save(avatar, first.version, KEEP);
  return { avatar, version: first.version + 1 };
}

const nextIds = async (store: Store, count: number) => idsOf(await store.next(count));

export function queueAndSlots(check: Check): void {
  check('one caller is served first come, first served', async (t, { store }) => {
    const made = await queueUp(store, CALLER, 5);
    t.same(await nextIds(store, 3), idsOf(made.slice(0, 3)));
    t.same(await nextIds(store, 9), idsOf(made));
    t.equal((await store.find(CALLER, made[3]?.id ?? ''))?.ahead, 3);
    t.same(await store.next(0), []);
  });

  check('a caller who joins is served next, however many another one has waiting', async (t, { store }) => {
    const many = await queueUp(store, 'many', 20);
    for (let i = 0; i < 3; i++) await submitFirst(store);
    const [joins, again] = await queueUp(store, 'joins', 2);
    t.equal((await store.find('joins', joins?.id ?? ''))?.ahead, 0);
    const order = await nextIds(store, 4);
    t.same(
      order,
      idsOf([joins, many[3], again, many[4]].filter((each) => each !== undefined)).toSorted(by(order)),
    );
    t.equal(order[0], joins?.id);
  });

  check('callers take turns', async (t, { store }) => {
    for (const caller of ['a', 'b', 'c']) await queueUp(store, caller, 3);
    const callers = (await store.next(9)).map(({ avatar }) => avatar.caller);
    for (let turn = 0; turn < 3; turn++) {
      t.same(callers.slice(3 * turn, 3 * turn + 3).toSorted(), ['a', 'b', 'c']);
    }
  });

  check('an avatar that comes back has its old place', async (t, { store }) => {
    const made = await queueUp(store, CALLER, 3);
    const { avatar, version } = await submitFirst(store);
    t.equal((await store.find(CALLER, avatar.id))?.ahead, null);
    t.equal((await store.outlook([])).queued, 2);
    t.match(await store.save(requeued(avatar), version, KEEP), { saved: true });
    t.same(await nextIds(store, 3), idsOf(made));
    t.equal((await store.outlook([KEY])).lanes.get(KEY)?.slots, 0);
    t.same(await store.submission(avatar.id), SUBMISSION);
  });

  check(
    'a full queue takes no more, and a key that was used is answered all the same',
    async (t, { store }) => {
      const idempotency = { key: 'key-1', fingerprint: 'f' };
      const bounds = { maxAvatars: 2, maxBytes: 1e6 };
      const first = await store.create(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG, { bounds }));
      await store.create(avatarOf(), [SUBMISSION], dueIn(LONG, { bounds }));
      const third = avatarOf();
      await t.rejects(
        store.create(third, [SUBMISSION], dueIn(LONG, { bounds })),
        Object.assign(new QueueFullError('avatars'), { bound: 'avatars' }),
      );
      t.equal(await store.find(CALLER, third.id), null);
      t.equal(await store.submission(third.id), null);
      t.match(await store.create(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG, { bounds })), {
        avatar: { id: first.avatar.id },
      });
      await submitFirst(store);
      t.match(await store.create(third, [SUBMISSION], dueIn(LONG, { bounds })), { version: 1 });
    },
  );

  check('the bytes that wait are bounded, and counted as they come and go', async (t, { store }) => {
    const bounds = { maxAvatars: 9, maxBytes: 2.5 * SUBMISSION.length };
    const create = () => store.create(avatarOf(), [SUBMISSION], dueIn(LONG, { bounds }));
    const { avatar, version } = await create();
    await create();
    await t.rejects(create(), { name: 'QueueFullError', bound: 'bytes' });
    t.equal((await store.outlook([])).queuedBytes, 2 * SUBMISSION.length);
    await store.remove(avatar.id, version);
    t.equal((await store.outlook([])).queuedBytes, SUBMISSION.length);
    const begun = await submitFirst(store);
    t.equal((await store.outlook([])).queuedBytes, 0);
    await store.save(requeued(begun.avatar), begun.version, KEEP);
    t.equal((await store.outlook([])).queuedBytes, SUBMISSION.length);
    const again = await submitFirst(store);
    await store.save(accepted(again.avatar, 'task-1', 0), again.version, DROP);
    t.match(await store.outlook([]), { queued: 0, queuedBytes: 0 });
  });

  check('of 100 that would take a slot at once, as many do as there are', async (t, { store }) => {
    const made = await queueUp(store, CALLER, 100);
    const results = await Promise.all(
      made.map((avatar) => store.save(beginSubmit(avatar, KEY, 'intent-1'), 1, { ...KEEP, slots: 3 })),
    );
    t.equal(results.filter(({ saved }) => saved).length, 3);
    t.equal(results.filter((result) => !result.saved && result.reason === 'no-slot').length, 97);
    t.match(await store.outlook([KEY]), { queued: 97 });
    t.equal((await store.outlook([KEY])).lanes.get(KEY)?.slots, 3);
  });

  check('a slot is held until the end, by the key it was taken with', async (t, { store }) => {
    await queueUp(store, CALLER, 2);
    const { avatar, version } = await submitFirst(store);
    const slots = async (key: string) => (await store.outlook([key])).lanes.get(key)?.slots;
    const second = await submitFirst(store, 'key-2');
    t.same([await slots(KEY), await slots('key-2')], [1, 1]);
    const pending = accepted(avatar, 'task-1', 0);
    t.match(await store.save(pending, version, { ...DROP, slots: 1 }), { saved: true }, 'it has one');
    t.equal(await slots(KEY), 1);
    const ended = { ...pending, status: 'failed', step: 'expire' } as const;
    await store.save(ended, version + 1, DROP);
    t.same([await slots(KEY), await slots('key-2')], [0, 1]);
    await store.remove(second.avatar.id, second.version);
    t.equal(await slots('key-2'), 0);
  });

  check('one that may be running holds its slot for a while', async (t, { store }) => {
    const failure = { type: 'outcome-unknown', detail: 'lost', upstreamStatus: null } as const;
    await queueUp(store, CALLER, 2);
    for (const slotForMs of [LONG, 0]) {
      const { avatar, version } = await submitFirst(store);
      const next = unconfirmed(avatar, failure, { now: 0, retentionMs: LONG });
      await store.save(next, version, { ...DROP, slotForMs });
      t.equal((await store.outlook([KEY])).lanes.get(KEY)?.slots, 1, 'the first one alone');
    }
  });

  check('what is at Modellix is due in the index of its key, and nowhere else', async (t, { store }) => {
    await queueUp(store, CALLER, 2);
    t.same(await store.lanes(), []);
    const { avatar, version } = await submitFirst(store);
    const pending = accepted(avatar, 'task-1', 0);
    await store.save(pending, version, { dueInMs: 0, submission: 'drop' });
    t.same(await store.lanes(), [KEY]);
    const outlook = await store.outlook([KEY, 'key-2']);
    t.same(
      [...outlook.lanes],
      [
        [KEY, { slots: 1, due: 1, dueInMs: 0 }],
        ['key-2', { slots: 0, due: 0, dueInMs: null }],
      ],
    );
    t.ok((outlook.dueInMs ?? 0) > 0, 'the other one, later');
    t.same([await store.claim(null, 9, LONG), await store.claim('key-2', 9, LONG)], [[], []]);
    t.match(await store.claim(KEY, 9, LONG), [{ avatar: pending, version: version + 2 }]);
    t.ok(((await store.outlook([KEY])).lanes.get(KEY)?.dueInMs ?? 0) > 0);
    const ended = { ...pending, status: 'failed', step: 'expire' } as const;
    await store.save(ended, version + 2, { dueInMs: 0, submission: 'drop' });
    t.same(await store.claim(KEY, 9, LONG), []);
    t.match(await store.claim(null, 9, LONG), [{ avatar: ended }]);
  });

  check('a document changes only where nobody else changed it', async (t, { store }) => {
    t.match(await store.document('a'), { value: null, revision: 0, now: Number });
    t.match(await store.swap('a', 0, '{"n":1}'), { swapped: true, revision: 1, value: '{"n":1}' });
    t.match(await store.swap('a', 0, 'late'), { swapped: false, revision: 1, value: '{"n":1}' });
    t.match(await store.document('a'), { value: '{"n":1}', revision: 1 });
    t.match(await store.document('b'), { revision: 0 });
    const increment = async () => {
      for (;;) {
        const { revision, value } = await store.document('count');
        if ((await store.swap('count', revision, String(Number(value ?? 0) + 1))).swapped) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    t.match(await store.document('count'), { value: '20', revision: 20 });
  });

  check('whoever listens hears of every write, until it no longer listens', async (t, { store }) => {
    const heard: string[] = [];
    let wake = () => {};
    const end = store.onChange((change) => {
      if (change === null) return;
      heard.push(change.id);
      wake();
    });
    const hears = async (id: string) => {
      while (!heard.includes(id)) await new Promise<void>((resolve) => (wake = resolve));
      heard.length = 0;
    };
    // The connection that listens may not stand yet.
    let heardOf: Avatar | undefined;
    while (heardOf === undefined) {
      heardOf = (await store.create(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (heard.length === 0) heardOf = undefined;
    }
    const { avatar, version } = await submitFirst(store);
    await hears(avatar.id);
    await store.remove(avatar.id, version);
    await hears(avatar.id);
    end();
    await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    t.same(heard, []);
  });
}

/** Ties between callers may go either way. */
function by(order: readonly string[]) {
  return (a: string, b: string) => order.indexOf(a) - order.indexOf(b);
}
