/**
 * A process of its own for `flips.ts`. `flips-child.ts build <dir> <seed> <avatars>` fills a store, says what is in it, and stays;
 * without arguments it says of each directory that it is sent what became of it.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Avatar } from '../../src/domain/avatar.js';
import { EVERYONE } from '../../src/domain/caller.js';
import { accepted, canceled, failed, succeeded } from '../../src/domain/moves.js';
import { CorruptRecordError } from '../../src/store/record.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { Chance } from '../storm/random.js';
import { avatarOf, beginWith, dueIn, EVERYTHING, freely, LONG } from './fixtures.js';

/** What was acknowledged. */
export interface World {
  readonly avatars: readonly { readonly avatar: Avatar; readonly submission: string | null }[];
  readonly document: string;
}

/** `refused`: why it was not opened. `violations`: what was lost without a word, or would be paid twice. */
export type Verdict =
  | { readonly refused: string }
  | { readonly quarantined: number; readonly violations: readonly string[] };

const KEYS = ['key-1', 'key-2'];
const ENDING = { now: 1_750_000_000_000, retentionMs: LONG };
const FAILURE = { type: 'task-failed', detail: 'no', upstreamStatus: null } as const;
const VIDEO = {
  ...{ url: 'https://v.example/1', format: 'mp4', width: 512, height: 512, bytes: 100 },
  ...{ expiresAt: null, keptBytes: null },
};

const text = (random: Chance, length: number) =>
  Array.from({ length }, () => String.fromCharCode(random.between(97, 122))).join('');

async function build(dir: string, seed: number, count: number): Promise<World> {
  const random = new Chance(seed);
  const store = await openSqliteStore({ dir });
  const avatars: { avatar: Avatar; submission: string | null }[] = [];
  for (let i = 0; i < count; i++) {
    const submission = text(random, random.is(0.03) ? 150_000 : random.between(20, 400));
    const made = avatarOf({
      id: `av_${seed}_${i}`,
      caller: `team-${random.between(0, 3 - 1)}`,
      idempotency: random.is(0.7) ? { key: `key ${i}`, fingerprint: 'f' } : null,
      externalId: random.is(0.3) ? `order-${random.between(0, 9 - 1)}` : null,
      prompt: text(random, random.between(0, 900)),
      spend: { reserved: { durationMs: 7200, units: 3226 }, settled: null, billed: null },
      createdAt: 1_750_000_000_000 + i,
    });
    // Longer than until it is inspected: what is due then is not submitted.
    const { avatar } = await store.admit(made, [Buffer.from(submission)], dueIn(4 * LONG));
    avatars.push({ avatar, submission });
  }
  const ends = [
    (avatar: Avatar) => avatar,
    (avatar: Avatar) => accepted(avatar, `task of ${avatar.id}`, 1),
    (avatar: Avatar) => succeeded(accepted(avatar, `task of ${avatar.id}`, 1), VIDEO, ENDING, false),
    (avatar: Avatar) => failed(avatar, FAILURE, ENDING),
  ];
  const byId = new Map(avatars.map((each) => [each.avatar.id, each]));
  const { begun } = await store.begin(beginWith(...KEYS.map((key) => freely(key))), Math.floor(count * 0.7));
  for (const { avatar, version } of begun) {
    const entry = byId.get(avatar.id);
    const next = random.pick(ends)(avatar);
    if (entry === undefined) continue;
    entry.avatar = next;
    if (next === avatar) continue;
    await store.save(next, version, { dueInMs: LONG, submission: 'drop' });
    entry.submission = null;
  }
  const [waiting] = avatars.filter(({ avatar }) => avatar.status === 'queued');
  if (waiting !== undefined) {
    waiting.avatar = canceled(waiting.avatar, ENDING);
    waiting.submission = null;
    await store.save(waiting.avatar, 1, { dueInMs: LONG, submission: 'drop' });
  }
  await store.swap('limits', 0, '{"tasks":3}');
  process.once('message', () => void store.close().then(() => process.exit()));
  return { avatars, document: '{"tasks":3}' };
}

/** Does what a gateway does, and holds it against what was acknowledged. */
async function inspect(dir: string, world: World): Promise<Verdict> {
  let store: Store;
  try {
    store = await openSqliteStore({ dir, now: () => Date.now() + 2 * LONG });
  } catch (error) {
    if (error instanceof StoreUnavailableError) return { refused: `${error.message}` };
    throw error;
  }
  try {
    return await compare(store, world);
  } finally {
    await store.close();
  }
}

async function compare(store: Store, { avatars, document }: World): Promise<Verdict> {
  const violations: string[] = [];
  const lost = new Set<string>();
  for (const { avatar, submission } of avatars) {
    const { id, caller, status } = avatar;
    const found = await store.find(caller, id).catch((error) => {
      if (!(error instanceof CorruptRecordError)) throw error;
      lost.add(id);
    });
    if (lost.has(id)) continue;
    if (!found) violations.push(`${id} (${status}) is gone`);
    else if (!isDeepStrictEqual(found.avatar, avatar)) violations.push(`${id} (${status}) is another`);
    const bytes = await store.submission(id);
    if (bytes !== null && bytes.toString() !== submission) violations.push(`${id} has another submission`);
  }
  const whole = avatars.map(({ avatar }) => avatar).filter(({ id }) => !lost.has(id));
  const check = (what: string, found: Iterable<string>, expected: readonly Avatar[]) => {
    const ids = new Set(found);
    const missing = expected.filter(({ id }) => !ids.delete(id));
    for (const { id, status } of missing) violations.push(`${id} (${status}) is not ${what}`);
    for (const id of ids) if (!lost.has(id)) violations.push(`${id} is ${what}, and should not be`);
  };
  for (const scope of [EVERYONE, 'team-0', 'team-1', 'team-2'] as const) {
    const { found } = await store.list(scope, { ...EVERYTHING, limit: 1e6 });
    const { changed } = await store.feed(scope, 0, 1e6);
    const own = whole.filter(({ caller }) => scope === EVERYONE || caller === scope);
    check(
      'listed',
      found.map(({ avatar }) => avatar.id),
      own,
    );
    check(
      'in the feed',
      changed.map(({ avatar }) => avatar.id),
      own,
    );
  }
  for (const avatar of whole) {
    if (avatar.idempotency === null) continue;
    const again = avatarOf({ caller: avatar.caller, idempotency: avatar.idempotency });
    const known = await store.admit(again, [], dueIn(LONG));
    if (known.outcome !== 'known') violations.push(`the key of ${avatar.id} was forgotten: a second POST`);
    else if (known.avatar.id !== avatar.id) violations.push(`the key of ${avatar.id} names another`);
  }
  const value = (await store.document('limits')).value;
  if (value !== document) violations.push(`the document is ${value}`);
  const { begun } = await store.begin(beginWith(freely('another key')), 1e6);
  const queued = whole.filter(({ status }) => status === 'queued');
  check(
    'submitted',
    begun.map(({ avatar }) => avatar.id),
    queued,
  );
  const due: string[] = [];
  for (const keyId of [null, ...KEYS]) {
    const { claimed } = await store.claim({ keyId, limit: 1e6, leaseMs: LONG });
    due.push(...claimed.map(({ avatar }) => avatar.id));
  }
  check(
    'due',
    due,
    whole.filter(({ status }) => status !== 'queued'),
  );
  return { quarantined: store.health().corruptRecords, violations };
}

const [task, dir = '', seed, count] = process.argv.slice(2);
if (task === 'build') {
  const world = await build(dir, Number(seed), Number(count));
  process.send?.(world);
} else {
  process.on('message', ({ dir, world }: { dir: string; world: World }) => {
    inspect(dir, world).then(
      (verdict) => process.send?.(verdict),
      (error: Error) =>
        process.send?.({ quarantined: 0, violations: [`threw ${error.stack}`] } satisfies Verdict),
    );
  });
}
