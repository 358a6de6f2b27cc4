/** Large submissions on their way to Redis, and what becomes of them when they do not get there. */

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { inPieces, PIECE_BYTES } from '../../src/store/redis/submissions.js';
import type { Store } from '../../src/store/store.js';
import { wayTo } from '../faults/way.js';
import { startRedis } from '../support/redis.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from './fixtures.js';
import { clientOf, holdsSubmission, openConnected, reachable } from './fixtures-redis.js';

/** A piece that is found wherever it is cut on its way. */
const MARK = 'the fourth piece ';
const MARKED = Buffer.alloc(PIECE_BYTES, MARK);
const LATER = 'the sixth piece ';
const LARGE = [
  ...[randomBytes(3 * PIECE_BYTES), MARKED, randomBytes(PIECE_BYTES)],
  ...[Buffer.alloc(PIECE_BYTES, LATER), randomBytes(1)],
];

async function open(t: Test) {
  const server = await startRedis(t);
  const client = clientOf(t, server.url);
  const way = await wayTo(t, server.port);
  const store = await openConnected(t, { url: way.url });
  const held = async () => (await client.keys('*')).filter(holdsSubmission);
  return { client, way, store, held };
}

async function isWhole(t: Test, store: Store, id: string): Promise<void> {
  t.ok(Buffer.concat(LARGE).equals((await store.submission(id)) ?? Buffer.alloc(0)), 'byte for byte');
}

t.test('the pieces are the bytes, all of one size but the last', async (t) => {
  const part = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.integer({ min: 1, max: 30 }), (parts, size) => {
      const pieces = [...inPieces(parts, size)];
      const sizes = pieces.map(({ length }) => length);
      const last = sizes.pop();
      return (
        Buffer.concat(pieces).equals(Buffer.concat(parts)) &&
        sizes.every((length) => length === size) &&
        (last === undefined || (last > 0 && last <= size))
      );
    }),
  );
  const [whole] = inPieces([MARKED], PIECE_BYTES);
  t.equal(whole?.buffer, MARKED.buffer, 'what is one already is not copied');
});

t.test('redis: a small submission costs one command; none of either expires', async (t) => {
  const { client, store, held } = await open(t);
  const idempotency = (key: string) => ({ idempotency: { key, fingerprint: 'f' } });
  await store.admit(avatarOf(idempotency('a')), [SUBMISSION], dueIn(LONG));
  await client.config('RESETSTAT');
  await store.admit(avatarOf(idempotency('b')), [Buffer.alloc(64 * 1024)], dueIn(LONG));
  const stats = await client.info('commandstats');
  t.match(stats, /cmdstat_evalsha:calls=1,/);
  await store.admit(avatarOf(), LARGE, dueIn(LONG));
  const keys = await held();
  t.equal(keys.length, 3);
  for (const key of keys) t.equal(await client.pttl(key), -1, key);
});

t.test('redis: nothing large is sent for an avatar that will not be made', async (t) => {
  const { client, store } = await open(t);
  const idempotency = { key: 'key-1', fingerprint: 'f' };
  const { avatar } = await store.admit(avatarOf({ idempotency }), LARGE, dueIn(LONG));
  const received = async () => Number(/total_net_input_bytes:(\d+)/.exec(await client.info('stats'))?.[1]);
  const before = await received();
  t.match(await store.admit(avatarOf({ idempotency }), LARGE, dueIn(LONG)), { avatar: { id: avatar.id } });
  for (const bounds of [
    { maxAvatars: 1, maxBytes: 1e9 },
    { maxAvatars: 9, maxBytes: PIECE_BYTES },
  ]) {
    await t.rejects(store.admit(avatarOf(), LARGE, dueIn(LONG, { bounds })), { name: 'QueueFullError' });
  }
  t.match(await store.admit({ ...avatar, idempotency: null }, LARGE, dueIn(LONG)), { version: 1 });
  t.ok((await received()) - before < PIECE_BYTES);
});

for (const which of ['request', 'reply'] as const) {
  t.test(`redis: the connection is cut in the middle of an upload: ${which}`, async (t) => {
    const { client, way, store, held } = await open(t);
    const avatar = avatarOf();
    const cut = way.break(MARK, 'cut', which);
    await t.rejects(store.admit(avatar, LARGE, dueIn(LONG)), { name: 'StoreUnavailableError' });
    await cut;
    await reachable(store);
    t.same([await store.find(CALLER, avatar.id), await store.submission(avatar.id)], [null, null]);
    t.match(await store.outlook([]), { queued: 0, queuedBytes: 0, dueInMs: null });
    const [upload = '', ...others] = await held();
    t.same(others, []);
    const leftMs = await client.pttl(upload);
    t.ok(leftMs > 0 && leftMs <= 60_000, `what is there of it goes in ${leftMs} ms`);

    t.match(await store.admit(avatar, LARGE, dueIn(LONG)), { version: 1 });
    await isWhole(t, store, avatar.id);
    t.equal((await held()).length, 1, 'the same upload went on');
    t.match(await store.outlook([]), { queued: 1, queuedBytes: Buffer.concat(LARGE).length });
  });
}

t.test('redis: the reply to the creation is lost, and it is sent again', async (t) => {
  const { client, way, store, held } = await open(t);
  await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG)); // From here on each script is one command.
  const avatar = avatarOf({ prompt: 'lost' });
  // Found in both calls of the script; the first one is let through.
  const asked = way.break('"prompt":"lost"', 'hold', 'reply');
  const lost = store.admit(avatar, LARGE, dueIn(LONG));
  await asked;
  const made = way.break('"prompt":"lost"', 'cut', 'reply');
  way.release();
  await t.rejects(lost, { name: 'StoreUnavailableError' });
  await made;
  await reachable(store);
  await client.config('RESETSTAT');
  t.match(await store.admit(avatar, LARGE, dueIn(LONG)), { version: 1 });
  t.notMatch(await client.info('commandstats'), /cmdstat_hset:/, 'nothing is uploaded again');
  await isWhole(t, store, avatar.id);
  t.equal((await held()).length, 2);
});

t.test('redis: an upload that is lost before its avatar is created makes none', async (t) => {
  const { client, way, store, held } = await open(t);
  const avatar = avatarOf();
  const met = way.break(MARK, 'hold', 'reply');
  const creating = store.admit(avatar, LARGE, dueIn(LONG));
  await met;
  await client.del(await held());
  way.release();
  await t.rejects(creating, { name: 'StoreUnavailableError', message: /does not have what was uploaded/ });
  t.equal(await store.find(CALLER, avatar.id), null);
  t.match(await store.outlook([]), { queued: 0, queuedBytes: 0 });
  for (const key of await held()) t.ok((await client.pttl(key)) > 0, 'it expires');
  t.match(await store.admit(avatar, LARGE, dueIn(LONG)), { version: 1 });
  await isWhole(t, store, avatar.id);
});

t.test('redis: the connection is cut before the upload begins', async (t) => {
  const { client, way, store, held } = await open(t);
  await store.remove((await store.admit(avatarOf({ id: 'av_1' }), [SUBMISSION], dueIn(LONG))).avatar.id, 1);
  const cut = way.break('"prompt":"asked"', 'cut', 'reply');
  await t.rejects(store.admit(avatarOf({ prompt: 'asked' }), LARGE, dueIn(LONG)));
  await cut;
  for (const key of await held()) t.ok((await client.pttl(key)) > 0, 'it expires');
  t.equal((await held()).length, 1);
});

t.test('redis: an upload that goes on after it expired expires again', async (t) => {
  const { client, way, store, held } = await open(t);
  const met = way.break(MARK, 'hold', 'reply');
  const creating = store.admit(avatarOf(), LARGE, dueIn(LONG));
  await met;
  await client.del(await held());
  const cut = way.break(LATER, 'cut', 'reply');
  way.release();
  await t.rejects(creating, { name: 'StoreUnavailableError' });
  await cut;
  const [upload = ''] = await held();
  t.ok((await client.pttl(upload)) > 0);
});

t.test('redis: it becomes full in the middle of an upload, and nothing is half made', async (t) => {
  const { client, way, store, held } = await open(t);
  const avatar = avatarOf();
  const met = way.break(MARK, 'hold', 'reply');
  const creating = store.admit(avatar, LARGE, dueIn(LONG));
  await met;
  await client.config('SET', 'maxmemory', '1');
  way.release();
  await t.rejects(creating, { message: 'Redis refused (OOM)' });
  t.equal(await store.find(CALLER, avatar.id), null);
  await client.config('SET', 'maxmemory', '0');
  for (const key of await held()) t.ok((await client.pttl(key)) > 0, 'it expires');
  t.match(await store.admit(avatar, LARGE, dueIn(LONG)), { version: 1 });
  t.equal((await held()).length, 1);
});

t.test('redis: it becomes full with the last piece, and nothing is half made', async (t) => {
  const { client, way, store, held } = await open(t);
  // Not queued, so that the move of the upload would be the first write.
  const avatar = avatarOf({ status: 'submitting' });
  const last = [...LARGE.slice(0, 1), MARKED];
  const met = way.break(MARK, 'hold', 'reply');
  const creating = store.admit(avatar, last, dueIn(LONG));
  await met;
  await client.config('SET', 'maxmemory', '1');
  way.release();
  await t.rejects(creating, { message: 'Redis refused (OOM)' });
  t.same([await store.find(CALLER, avatar.id), await store.submission(avatar.id)], [null, null]);
  t.match(await held(), [/:upload:/]);
  await client.config('SET', 'maxmemory', '0');
  t.match(await store.admit(avatar, last, dueIn(LONG)), { version: 1 });
});

t.test('redis: WAIT: a large one counts no sooner than a small one', async (t) => {
  const { url } = await startRedis(t);
  const waitFor = { replicas: 1, ownFile: false };
  const store = await openConnected(t, { url, waitFor, commandTimeoutMs: 400 });
  const avatar = avatarOf();
  for (const again of ['made', 'there already']) {
    const created = store.admit(avatar, LARGE, dueIn(LONG));
    await t.rejects(created, { message: /too few copies/ }, again);
  }
});

t.test('redis: a submission of which a piece is missing is not submitted', async (t) => {
  const { client, store, held } = await open(t);
  for (const piece of ['0', '3', '6', 'bytes']) {
    const { avatar } = await store.admit(avatarOf(), LARGE, dueIn(LONG));
    const [key = ''] = (await held()).filter((each) => each.includes(avatar.id));
    await client.hdel(key, piece);
    t.equal(await store.submission(avatar.id), null, piece);
  }
});
