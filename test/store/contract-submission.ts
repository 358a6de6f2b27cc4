/** The part of the contract on the bytes to submit, small and large. */

import { randomBytes } from 'node:crypto';
import { accepted } from '../../src/domain/moves.js';
import type { Save } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, beginNext, dueIn, idsOf, LONG, SUBMISSION } from './fixtures.js';

const DROP: Save = { dueInMs: LONG, submission: 'drop' };
const EMPTY = Buffer.alloc(0);
/** As large as they come: words, a portrait, speech. */
const LARGE = [randomBytes(200), EMPTY, randomBytes(10 * 2 ** 20), randomBytes(5 * 2 ** 20 + 1)];
/** Large enough not to be treated as a small one. */
const MEDIUM = [randomBytes(600_000), randomBytes(500_000)];
const bytesOf = (pieces: readonly Buffer[]) => Buffer.concat(pieces).length;

export function submissions(check: Check): void {
  const forms: readonly [string, readonly Buffer[]][] = [
    ['one piece', [SUBMISSION]],
    ['several', [Buffer.from('{"image":"'), Buffer.from('aGk='), Buffer.from('"}')]],
    ['empty ones among them', [EMPTY, Buffer.from('a'), EMPTY, EMPTY, Buffer.from('b'), EMPTY]],
    ['an empty one alone', [EMPTY]],
    ['none', []],
    ['a megabyte', MEDIUM],
    ['15 MB', LARGE],
    ['a thousand and more', Array.from({ length: 1500 }, (_, i) => Buffer.alloc(1000, i))],
  ];
  check('a submission comes back byte for byte, whatever pieces it came in', async (t, { store }) => {
    for (const [what, pieces] of forms) {
      const before = (await store.outlook([])).queuedBytes;
      const { avatar } = await store.admit(avatarOf(), pieces, dueIn(LONG));
      const found = await store.submission(avatar.id);
      t.ok(found !== null && Buffer.concat(pieces).equals(found), what);
      t.equal((await store.outlook([])).queuedBytes, before + bytesOf(pieces), `${what}: counted`);
    }
  });

  check('nothing is left of a submission that was dropped or removed', async (t, opened) => {
    const { store } = opened;
    for (const [what, pieces] of forms) {
      const dropped = (await store.admit(avatarOf(), pieces, dueIn(LONG))).avatar;
      const removed = (await store.admit(avatarOf(), pieces, dueIn(LONG))).avatar;
      t.equal((await opened.submissions()).length, 2, what);
      const { avatar, version } = await beginNext(store);
      t.match(await store.save(accepted(avatar, `task-${what}`, 0), version, DROP), { saved: true });
      t.equal((await opened.submissions()).length, 1, `${what}: dropped`);
      t.equal(await store.remove(removed.id, 1), true);
      t.same(await opened.submissions(), [], `${what}: removed`);
      t.same([await store.submission(dropped.id), await store.submission(removed.id)], [null, null]);
      t.equal((await store.outlook([])).queuedBytes, 0);
    }
  });

  check('nothing is left of a submission whose avatar was not made', async (t, opened) => {
    const { store } = opened;
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const { avatar } = await store.admit(avatarOf({ idempotency }), LARGE, dueIn(LONG));
    const before = await opened.submissions();
    const refused = (bounds: object) => {
      const room = { maxAvatars: 9, maxBytes: 1e9, ...bounds };
      return store.admit(avatarOf(), LARGE, dueIn(LONG, { bounds: room }));
    };
    await t.rejects(refused({ maxAvatars: 1 }), { name: 'QueueFullError', bound: 'avatars' });
    await t.rejects(refused({ maxBytes: 2 * bytesOf(LARGE) - 1 }), {
      name: 'QueueFullError',
      bound: 'bytes',
    });
    const again = await store.admit(avatarOf({ idempotency }), LARGE, dueIn(LONG));
    t.equal(again.avatar.id, avatar.id);
    t.same(await opened.submissions(), before);
    t.ok(Buffer.concat(LARGE).equals((await store.submission(avatar.id)) ?? EMPTY));
    t.match(await store.outlook([]), { queued: 1, queuedBytes: bytesOf(LARGE) });
  });

  check('of 20 that are created at once with one key, there is one, and its bytes', async (t, opened) => {
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const media = Array.from({ length: 20 }, () => [randomBytes(100), ...MEDIUM]);
    const avatars = media.map(() => avatarOf({ idempotency }));
    const made = await Promise.all(
      avatars.map((avatar, i) => opened.store.admit(avatar, media[i] ?? [], dueIn(LONG))),
    );
    const [id = ''] = new Set(idsOf(made));
    t.same(new Set(idsOf(made)), new Set([id]));
    t.equal((await opened.submissions()).length, 1);
    const own = Buffer.concat(media[idsOf(avatars).indexOf(id)] ?? []);
    t.ok(own.equals((await opened.store.submission(id)) ?? EMPTY), 'its own, and no other');
    t.match(await opened.store.outlook([]), { queued: 1, queuedBytes: own.length });
  });

  check('the same admission twice at once makes one avatar, with its bytes', async (t, opened) => {
    const avatar = avatarOf();
    const media = [randomBytes(100), ...MEDIUM];
    const made = await Promise.all([1, 2].map(() => opened.store.admit(avatar, media, dueIn(LONG))));
    for (const each of made) t.match(each, { outcome: 'queued', avatar, version: 1 });
    t.equal((await opened.submissions()).length, 1);
    t.ok(Buffer.concat(media).equals((await opened.store.submission(avatar.id)) ?? EMPTY));
    t.match(await opened.store.outlook([]), { queued: 1, queuedBytes: bytesOf(media) });
    await opened.store.admit(avatar, media, dueIn(LONG));
    t.equal((await opened.submissions()).length, 1, 'nothing is left of a third');
  });

  check('of several at once, as many are taken as the bound on bytes allows', async (t, opened) => {
    const bounds = { maxAvatars: 9, maxBytes: 2.5 * bytesOf(MEDIUM) };
    const made = await Promise.allSettled(
      Array.from({ length: 6 }, () => opened.store.admit(avatarOf(), MEDIUM, dueIn(LONG, { bounds }))),
    );
    t.equal(made.filter(({ status }) => status === 'fulfilled').length, 2);
    for (const each of made) {
      if (each.status === 'rejected') t.match(each.reason, { name: 'QueueFullError', bound: 'bytes' });
    }
    t.equal((await opened.submissions()).length, 2);
    t.match(await opened.store.outlook([]), { queued: 2, queuedBytes: 2 * bytesOf(MEDIUM) });
  });

  check(
    'a submission that is dropped while it is read is read whole, or not at all',
    async (t, { store }) => {
      const whole = Buffer.concat(MEDIUM);
      for (let i = 0; i < 10; i++) {
        const { avatar } = await store.admit(avatarOf(), MEDIUM, dueIn(LONG));
        const reads = [store.submission(avatar.id), store.submission(avatar.id)];
        const [saved] = await Promise.all([store.save(avatar, 1, DROP), ...reads]);
        t.equal(saved.saved, true);
        for (const read of reads) {
          const found = await read;
          t.ok(found === null || whole.equals(found));
        }
      }
    },
  );
}
