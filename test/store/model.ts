/** A store as plain objects, and random calls that must do the same to it and to a real one. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Avatar, Status } from '../../src/domain/avatar.js';
import { holdingsOf } from '../../src/domain/holdings.js';
import type { Begin, Save, SaveResult, Store, SubmitTerms } from '../../src/store/store.js';
import { avatarOf, CALLER, claim as claimOf, dueIn, EVERYTHING, LONG } from './fixtures.js';

/** Time is one bit here: due now, or not in this test. */
interface Entry {
  avatar: Avatar;
  version: number;
  due: boolean;
  /** Whether that is what its version came from. */
  claimed: boolean;
  submission: Buffer | null;
  /** Whether its slot was let go, whatever its status says. */
  slotless: boolean;
  /** Its place in the queue, which it keeps. */
  readonly place: number;
  /** Which change of all was its last. */
  changed: number;
}

/** What was taken of a key's calls, none of which comes back in this test, and submits since the last poll. */
interface Key {
  used: number;
  inARow: number;
}

const BURST = 8;
const CALLS = { intervalMs: LONG, burst: BURST };
const SLOTS = 3;
const KEYS = ['key-1', 'key-2'] as const;
const TERMS: readonly SubmitTerms[] = KEYS.map((keyId) => ({ keyId, slots: SLOTS, calls: CALLS }));
const MOST_IN_A_ROW = 4;

class Model {
  readonly entries = new Map<string, Entry>();
  readonly owners = new Map<string, string>();
  readonly keys = new Map<string, Key>(KEYS.map((keyId) => [keyId, { used: 0, inARow: 0 }]));
  #changes = 0;
  #places = 0;

  /** Whether it was new. */
  admit(avatar: Avatar, submission: Buffer, due: boolean): boolean {
    if (this.entries.has(avatar.id)) return false;
    const [changed, place] = [++this.#changes, ++this.#places];
    const entry = { avatar, version: 1, due, claimed: false, submission, slotless: false, place, changed };
    this.entries.set(avatar.id, entry);
    return true;
  }

  save(avatar: Avatar, version: number, { dueInMs, submission, silent, slotForMs }: Save): SaveResult {
    const entry = this.entries.get(avatar.id);
    if (entry?.version !== version) return { saved: false, reason: 'stale' };
    const { taskId } = avatar;
    const owner = taskId === null ? undefined : this.owners.get(taskId);
    if (owner !== undefined && owner !== avatar.id) return { saved: false, reason: 'task-taken' };
    if (taskId !== null) this.owners.set(taskId, avatar.id);
    const due = dueInMs === 0;
    Object.assign(entry, { avatar, version: version + 1, due, claimed: false, slotless: slotForMs === 0 });
    if (submission === 'drop') entry.submission = null;
    if (silent !== true) entry.changed = ++this.#changes;
    return { saved: true, version: version + 1 };
  }

  remove(id: string, version: number): boolean {
    if (this.entries.get(id)?.version !== version) return false;
    this.entries.delete(id);
    for (const [task, owner] of this.owners) if (owner === id) this.owners.delete(task);
    return true;
  }

  /** The keys of which one may be taken for a submit now; whether one has a slot, but no call. */
  choice(): { readonly best: readonly string[]; readonly waits: boolean } {
    const free = (keyId: string) => SLOTS - this.held(keyId);
    const open = KEYS.filter((keyId) => free(keyId) > 0);
    const able = open.filter((keyId) => this.#hasCall(keyId));
    const most = Math.max(...able.map(free));
    return { best: able.filter((keyId) => free(keyId) === most), waits: open.length > 0 };
  }

  #hasCall(keyId: string): boolean {
    const { used, inARow } = this.key(keyId);
    return used < BURST && (this.due(keyId).length === 0 || inARow < MOST_IN_A_ROW);
  }

  /** Begins a submit with one of the best keys: the one that the store took. @param version the one it has then */
  begin(entry: Entry, keyId: string, intent: string, version: number): void {
    const key = this.key(keyId);
    key.used += 1;
    key.inARow = this.due(keyId).length > 0 ? key.inARow + 1 : 0;
    const { avatar } = entry;
    const begun = { ...avatar, status: 'submitting', keyId, attempt: avatar.attempt + 1, intent } as const;
    Object.assign(entry, { avatar: begun, version, due: false, slotless: false, changed: ++this.#changes });
  }

  /** How many polls with a key may be claimed. */
  polls(keyId: string, limit: number, slots: number): { readonly count: number; readonly waits: boolean } {
    const { used, inARow } = this.key(keyId);
    const due = this.due(keyId).length;
    const submitsWait = this.queue().length > 0 && this.held(keyId) < slots;
    const share = !submitsWait ? limit : inARow >= MOST_IN_A_ROW || used === 0 ? 1 : 0;
    const count = Math.max(0, Math.min(limit, due, share, BURST - 1 - used));
    return { count, waits: count < Math.min(limit, due) };
  }

  key(keyId: string): Key {
    const key = this.keys.get(keyId);
    assert.ok(key, `${keyId} is known`);
    return key;
  }

  held(keyId: string): number {
    return this.#where(
      ({ avatar, slotless }) => avatar.keyId === keyId && holdingsOf(avatar).slot && !slotless,
    ).length;
  }

  queue(): Entry[] {
    return this.#where(({ avatar }) => holdingsOf(avatar).queued).sort((a, b) => a.place - b.place);
  }

  /** Those in it that may be begun. */
  startable(): Entry[] {
    return this.queue().filter(({ due, claimed }) => !due && !claimed);
  }

  due(keyId: string | null): Entry[] {
    return this.#where(({ avatar, due }) => due && holdingsOf(avatar).dueIndex === keyId);
  }

  /** The newest first. */
  list(status: Status | null): Entry[] {
    const newest = (a: Avatar, b: Avatar) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
    return this.#where(({ avatar }) => (status ?? avatar.status) === avatar.status).sort((a, b) =>
      newest(a.avatar, b.avatar),
    );
  }

  feed(): Entry[] {
    return this.#where(() => true).sort((a, b) => a.changed - b.changed);
  }

  #where(fits: (entry: Entry) => boolean): Entry[] {
    return [...this.entries.values()].filter(fits);
  }
}

type Call = (store: Store, model: Model) => Promise<void>;

const IDS = ['av_1', 'av_2', 'av_3', 'av_4', 'av_5', 'av_6'] as const;
const id = fc.constantFrom(...IDS);
const leaseMs = fc.constantFrom(0, LONG);
const pieces = fc.array(
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  { maxLength: 3 },
);

/** How far off the version is: mostly right, so that the interesting paths are taken. */
const lag = fc.constantFrom(0, 0, 0, -1, 1);

let intents = 0;
const beginOf = (): Begin => ({ intent: `intent-${++intents}`, keys: TERMS, leaseMs: LONG });

const admit = fc.tuple(id, fc.string({ unit: 'grapheme' }), pieces, leaseMs, fc.nat(2), fc.boolean()).map(
  ([id, prompt, submission, lease, createdAt, begins]): Call =>
    async (store, model) => {
      const avatar = avatarOf({ id, prompt, createdAt });
      const begin = beginOf();
      const isFirst = model.queue().length === 0;
      const { best } = model.choice();
      const made = await store.admit(avatar, submission, dueIn(lease, begins ? { begin } : {}));
      const isNew = model.admit(avatar, Buffer.concat(submission), lease === 0);
      const entry = model.entries.get(id);
      assert.ok(entry);
      const begun = isNew && begins && isFirst && best.length > 0;
      if (begun) {
        const { keyId } = made.avatar;
        assert.ok(keyId !== null && best.includes(keyId), `${keyId} of ${best}`);
        model.begin(entry, keyId, begin.intent, 1);
      }
      assert.equal(made.outcome, begun ? 'begun' : 'queued');
      assert.deepEqual(plain(made), plain(entry));
    },
);

const begin = fc.tuple(fc.nat(4), fc.boolean()).map(
  ([limit, again]): Call =>
    async (store, model) => {
      const call = beginOf();
      const { begun, waitMs } = await store.begin(call, limit);
      const queue = model.startable();
      for (const [i, stored] of begun.entries()) {
        const entry = queue[i];
        const { keyId } = stored.avatar;
        const { best } = model.choice();
        assert.ok(
          entry && keyId !== null && best.includes(keyId),
          `${stored.avatar.id} with ${keyId} of ${best}`,
        );
        model.begin(entry, keyId, call.intent, entry.version + 1);
        assert.deepEqual(plain(stored), plain(entry));
        assert.deepEqual(stored.submission, entry.submission);
      }
      if (begun.length < Math.min(limit, queue.length)) {
        const { best, waits } = model.choice();
        assert.deepEqual(best, [], 'one more could be begun');
        assert.equal(waitMs !== null, waits, `${waitMs}`);
      } else if (begun.length === queue.length) assert.equal(waitMs, null);
      if (again && begun.length > 0) {
        const repeated = await store.begin(call, limit);
        assert.deepEqual(repeated.begun.map(plain), begun.map(plain));
      }
    },
);

const poll = fc
  .tuple(fc.constantFrom(...KEYS), fc.integer({ min: 1, max: 4 }), leaseMs, fc.constantFrom(0, SLOTS))
  .map(
    ([keyId, limit, lease, slots]): Call =>
      async (store, model) => {
        const expected = model.polls(keyId, limit, slots);
        const due = model.due(keyId);
        const { claimed, waitMs } = await store.claim({ keyId, limit, leaseMs: lease, calls: CALLS, slots });
        assert.equal(claimed.length, expected.count);
        for (const stored of claimed) claimedAre(stored, due, lease);
        if (expected.waits) assert.ok(waitMs !== null && waitMs > 0, `${waitMs}`);
        else if (claimed.length < limit) assert.equal(waitMs, null);
        if (claimed.length > 0)
          Object.assign(model.key(keyId), { used: model.key(keyId).used + claimed.length, inARow: 0 });
      },
  );

/** A claimed avatar is one of those that were due, at its next version. */
function claimedAre(
  { avatar, version }: Pick<Entry, 'avatar' | 'version'>,
  due: Entry[],
  lease: number,
): void {
  const entry = due.find((candidate) => candidate.avatar.id === avatar.id);
  assert.ok(entry, `${avatar.id} is not due`);
  assert.deepEqual({ avatar, version }, { avatar: entry.avatar, version: entry.version + 1 });
  Object.assign(entry, { version, due: lease === 0, claimed: true });
}

const taskId = fc.constantFrom(null, 'task-1', 'task-2');
const submission = fc.constantFrom('keep' as const, 'drop' as const);
const status = fc.constantFrom('queued' as const, 'pending' as const, 'pending' as const, 'failed' as const);
const MOVES: Partial<Record<Status, readonly Status[]>> = {
  queued: ['failed'],
  submitting: ['queued', 'pending', 'failed'],
  pending: ['failed'],
};
const slotForMs = fc.constantFrom(undefined, undefined, 0);
/** A move that the status does not allow leaves it as it is; what is still to be submitted is kept. */
const save = fc
  .tuple(id, lag, taskId, status, leaseMs, submission, fc.boolean(), slotForMs, fc.boolean())
  .map(
    ([id, lag, task, status, dueInMs, submission, silent, slotForMs, again]): Call =>
      async (store, model) => {
        const entry = model.entries.get(id);
        const before = entry?.avatar ?? avatarOf({ id });
        const next = MOVES[before.status]?.includes(status) ? status : before.status;
        const avatar = { ...before, status: next, taskId: before.taskId ?? task };
        const version = (entry?.version ?? 1) + lag;
        const needed = next === 'queued' || next === 'submitting';
        const how = {
          dueInMs,
          submission: needed ? 'keep' : submission,
          silent,
          ...(slotForMs === undefined ? {} : { slotForMs }),
        };
        const result = await store.save(avatar, version, how);
        // One save that equals what the last one wrote is the same save again, however late.
        const isAgain = entry?.version === version + 1 && isSame(avatar, entry.avatar);
        if (isAgain) return assert.ok(!result.saved || result.version === version + 1);
        const expected = model.save(avatar, version, how);
        assert.deepEqual(result, expected);
        if (again && expected.saved) assert.deepEqual(await store.save(avatar, version, how), expected);
      },
  );

function isSame(one: Avatar, other: Avatar): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}

const remove = fc.tuple(id, lag).map(
  ([id, lag]): Call =>
    async (store, model) => {
      const version = (model.entries.get(id)?.version ?? 1) + lag;
      assert.equal(await store.remove(id, version), model.remove(id, version));
    },
);

const claim = fc.tuple(fc.nat(5), leaseMs).map(
  ([limit, lease]): Call =>
    async (store, model) => {
      const due = model.due(null);
      const claimed = await claimOf(store, null, limit, lease);
      assert.equal(claimed.length, Math.min(limit, due.length));
      for (const stored of claimed) claimedAre(stored, due, lease);
      assert.equal(new Set(claimed.map(({ avatar }) => avatar.id)).size, claimed.length);
    },
);

/** Everything that can be read. */
async function compare(store: Store, model: Model): Promise<void> {
  const queue = model.queue();
  for (const id of IDS) {
    const entry = model.entries.get(id);
    const found = await store.find(CALLER, id);
    assert.deepEqual(found && plain(found), entry ? plain(entry) : null);
    if (entry !== undefined) assert.equal(found?.ahead, queue.includes(entry) ? queue.indexOf(entry) : null);
    assert.deepEqual(await store.submission(id), entry?.submission ?? null);
  }
  for (const status of [null, 'queued', 'submitting', 'pending', 'failed'] as const) {
    const query = { ...EVERYTHING, statuses: status && [status] };
    assert.deepEqual((await store.list(CALLER, query)).found.map(plain), model.list(status).map(plain));
  }
  const { changed, last, whole } = await store.feed(CALLER, 0, 9);
  assert.deepEqual(changed.map(plain), model.feed().map(plain));
  assert.ok(whole && last >= (changed.at(-1)?.at ?? 0));
  const outlook = await store.outlook(KEYS);
  const bytes = queue.reduce((sum, { submission }) => sum + (submission?.length ?? 0), 0);
  assert.deepEqual([outlook.queued, outlook.queuedBytes], [queue.length, bytes]);
  const isIn = (index: string | null) =>
    [...model.entries.values()].filter(({ avatar }) => holdingsOf(avatar).dueIndex === index);
  dueAsIn(outlook.dueInMs, model.due(null).length, isIn(null).length);
  for (const keyId of KEYS) {
    const key = outlook.keys.get(keyId);
    assert.deepEqual([key?.slots, key?.due], [model.held(keyId), model.due(keyId).length]);
    dueAsIn(key?.dueInMs ?? null, model.due(keyId).length, isIn(keyId).length);
  }
  assert.deepEqual(
    (await store.keyIds()).toSorted(),
    KEYS.filter((keyId) => isIn(keyId).length > 0),
  );
}

function dueAsIn(dueInMs: number | null, due: number, all: number): void {
  if (all === 0) assert.equal(dueInMs, null);
  else if (due > 0) assert.equal(dueInMs, 0);
  else assert.ok(dueInMs !== null && dueInMs > 0, `${dueInMs}`);
}

const plain = ({ avatar, version }: Pick<Entry, 'avatar' | 'version'>) => ({ avatar, version });

/** Throws where a fresh store of `open` and the model part ways. */
export async function modelAgrees(open: () => Promise<Store>): Promise<void> {
  const call = fc.oneof(
    admit,
    admit,
    begin,
    begin,
    poll,
    save,
    save,
    save,
    remove,
    claim,
    fc.constant(compare),
  );
  const calls = fc.array(call, { minLength: 5, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(calls, async (calls) => {
      const [store, model] = [await open(), new Model()];
      try {
        for (const call of calls) await call(store, model);
        await compare(store, model);
      } finally {
        await store.close();
      }
    }),
    { numRuns: 80 },
  );
}
