/** The part of the contract on the order of the queue, due indexes, shared documents and changes. */

import type { Avatar } from '../../src/domain/avatar.js';
import { accepted, requeued } from '../../src/domain/moves.js';
import { QueueFullError, type Save, type Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import {
  avatarOf,
  beginFirst,
  beginNext,
  CALLER,
  claim,
  dueIn,
  EVERYTHING,
  idsOf,
  KEY,
  LONG,
  SUBMISSION,
} from './fixtures.js';

const KEEP: Save = { dueInMs: LONG, submission: 'keep' };
const DROP: Save = { dueInMs: LONG, submission: 'drop' };

/** Puts avatars of a caller in the queue, one after the other. */
async function queueUp(store: Store, caller: string, count: number): Promise<Avatar[]> {
  const made: Avatar[] = [];
  while (made.length < count) {
    made.push((await store.admit(avatarOf({ caller }), [SUBMISSION], dueIn(LONG))).avatar);
  }
  return made;
}

const keyOf = async (store: Store, keyId = KEY) => (await store.outlook([keyId])).keys.get(keyId);

export function queueAndSlots(check: Check): void {
  check('one caller is served first come, first served', async (t, { store }) => {
    const made = await queueUp(store, CALLER, 5);
    t.equal((await store.find(CALLER, made[3]?.id ?? ''))?.ahead, 3);
    t.same(await beginFirst(store, 0), []);
    t.same(idsOf(await beginFirst(store, 3)), idsOf(made.slice(0, 3)));
    t.equal((await store.find(CALLER, made[3]?.id ?? ''))?.ahead, 0);
    t.same(idsOf(await beginFirst(store, 9)), idsOf(made.slice(3)));
  });

  check('a caller who joins is served next, however many another one has waiting', async (t, { store }) => {
    const many = await queueUp(store, 'many', 20);
    for (let i = 0; i < 3; i++) await beginNext(store);
    const [joins, again] = await queueUp(store, 'joins', 2);
    t.equal((await store.find('joins', joins?.id ?? ''))?.ahead, 0);
    const order = idsOf(await beginFirst(store, 4));
    t.same(
      order,
      idsOf([joins, many[3], again, many[4]].filter((each) => each !== undefined)).toSorted(by(order)),
    );
    t.equal(order[0], joins?.id);
  });

  check('callers take turns', async (t, { store }) => {
    for (const caller of ['a', 'b', 'c']) await queueUp(store, caller, 3);
    const callers = (await beginFirst(store, 9)).map(({ avatar }) => avatar.caller);
    for (let turn = 0; turn < 3; turn++) {
      t.same(callers.slice(3 * turn, 3 * turn + 3).toSorted(), ['a', 'b', 'c']);
    }
  });

  check('an avatar that comes back has its old place', async (t, { store }) => {
    const made = await queueUp(store, CALLER, 3);
    const { avatar, version } = await beginNext(store);
    t.equal((await store.find(CALLER, avatar.id))?.ahead, null);
    t.equal((await store.outlook([])).queued, 2);
    t.match(await store.save(requeued(avatar), version, KEEP), { saved: true });
    t.match(await store.outlook([KEY]), { queued: 3, queuedBytes: 3 * SUBMISSION.length });
    t.equal((await keyOf(store))?.slots, 0);
    t.same(await store.submission(avatar.id), SUBMISSION);
    t.same(idsOf(await beginFirst(store, 3)), idsOf(made));
  });

  check(
    'a full queue takes no more, and a key that was used is answered all the same',
    async (t, { store }) => {
      const idempotency = { key: 'key-1', fingerprint: 'f' };
      const bounds = { maxAvatars: 2, maxBytes: 1e6 };
      const admit = (avatar: Avatar) => store.admit(avatar, [SUBMISSION], dueIn(LONG, { bounds }));
      const first = await admit(avatarOf({ idempotency }));
      await admit(avatarOf());
      const third = avatarOf();
      await t.rejects(admit(third), Object.assign(new QueueFullError('avatars'), { bound: 'avatars' }));
      t.equal(await store.find(CALLER, third.id), null);
      t.equal(await store.submission(third.id), null);
      t.match(await admit(avatarOf({ idempotency })), { outcome: 'known', avatar: { id: first.avatar.id } });
      t.match(await admit(first.avatar), { avatar: { id: first.avatar.id } }, 'the same call again');
      await beginNext(store);
      t.match(await admit(third), { outcome: 'queued', version: 1 });
    },
  );

  check('the bytes that wait are bounded, and counted as they come and go', async (t, { store }) => {
    const bounds = { maxAvatars: 9, maxBytes: 2.5 * SUBMISSION.length };
    const admit = () => store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, { bounds }));
    const { avatar, version } = await admit();
    await admit();
    await t.rejects(admit(), { name: 'QueueFullError', bound: 'bytes' });
    t.equal((await store.outlook([])).queuedBytes, 2 * SUBMISSION.length);
    await store.remove(avatar.id, version);
    t.equal((await store.outlook([])).queuedBytes, SUBMISSION.length);
    const begun = await beginNext(store);
    t.equal((await store.outlook([])).queuedBytes, 0);
    await store.save(requeued(begun.avatar), begun.version, KEEP);
    t.equal((await store.outlook([])).queuedBytes, SUBMISSION.length);
    const again = await beginNext(store);
    await store.save(accepted(again.avatar, 'task-1', 0), again.version, DROP);
    t.match(await store.outlook([]), { queued: 0, queuedBytes: 0 });
  });

  check('what is at Modellix is due in the index of its key, and nowhere else', async (t, { store }) => {
    await queueUp(store, CALLER, 2);
    t.same(await store.keyIds(), []);
    const { avatar, version } = await beginNext(store);
    t.same(await store.keyIds(), [], 'while it is submitted it is due with the others');
    const pending = accepted(avatar, 'task-1', 0);
    await store.save(pending, version, { dueInMs: 0, submission: 'drop' });
    t.same(await store.keyIds(), [KEY]);
    const outlook = await store.outlook([KEY, 'key-2']);
    t.same(
      [...outlook.keys],
      [
        [KEY, { slots: 1, due: 1, dueInMs: 0 }],
        ['key-2', { slots: 0, due: 0, dueInMs: null }],
      ],
    );
    t.ok((outlook.dueInMs ?? 0) > 0, 'the other one, later');
    t.same([await claim(store, null, 9), await claim(store, 'key-2', 9)], [[], []]);
    t.match(await claim(store, KEY, 9), [{ avatar: pending, version: version + 2 }]);
    t.ok(((await keyOf(store))?.dueInMs ?? 0) > 0);
    const ended = { ...pending, status: 'failed', step: 'expire' } as const;
    await store.save(ended, version + 2, { dueInMs: 0, submission: 'drop' });
    t.same(await claim(store, KEY, 9), []);
    t.match(await claim(store, null, 9), [{ avatar: ended }]);
    t.same(await store.keyIds(), [], 'a key with nothing in its index is forgotten');
  });

  check('a key is forgotten when the last of its avatars is removed', async (t, { store }) => {
    await queueUp(store, CALLER, 2);
    for (const keyId of ['key-1', 'key-2']) {
      const { avatar, version } = await beginNext(store, keyId);
      await store.save(accepted(avatar, `task of ${keyId}`, 0), version, DROP);
    }
    t.same((await store.keyIds()).toSorted(), ['key-1', 'key-2']);
    const [last] = (await store.list(CALLER, EVERYTHING)).found;
    if (last === undefined) throw new Error('two are listed');
    const { avatar } = last;
    await store.remove(avatar.id, 3);
    t.same(await store.keyIds(), [avatar.keyId === 'key-1' ? 'key-2' : 'key-1']);
  });

  check('a claim may take only what has been due for a while', async (t, { store }) => {
    const { avatar, now } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
    t.same(await claim(store, null, 9, LONG, { overdueMs: LONG }), []);
    for (;;) {
      const [claimed] = await claim(store, null, 9, LONG, { overdueMs: 50 });
      if (claimed === undefined) continue;
      t.match(claimed, { avatar, version: 2 });
      t.ok(claimed.now - now >= 50, `${claimed.now - now} ms`);
      break;
    }
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
      heardOf = (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (heard.length === 0) heardOf = undefined;
    }
    heard.length = 0;
    const { avatar, version } = await beginNext(store);
    await hears(avatar.id);
    await store.remove(avatar.id, version);
    await hears(avatar.id);
    end();
    await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    t.same(heard, []);
  });
}

/** Ties between callers may go either way. */
function by(order: readonly string[]) {
  return (a: string, b: string) => order.indexOf(a) - order.indexOf(b);
}
