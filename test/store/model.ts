/** A store in twenty lines of Map, and random calls that must do the same to it and to a real one. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Avatar, Status } from '../../src/domain/avatar.js';
import type { Save, SaveResult, Store } from '../../src/store/store.js';
import { avatarOf, CALLER, dueIn, EVERYTHING, LONG } from './fixtures.js';

/** Time is one bit here: due now, or not in this test. */
interface Entry {
  avatar: Avatar;
  version: number;
  due: boolean;
  submission: Buffer | null;
  /** Which change of all was its last. */
  changed: number;
}

class Model {
  readonly entries = new Map<string, Entry>();
  readonly owners = new Map<string, string>();
  #changes = 0;

  create(avatar: Avatar, submission: Buffer, leaseMs: number): boolean {
    if (this.entries.has(avatar.id)) return false;
    const changed = ++this.#changes;
    this.entries.set(avatar.id, { avatar, version: 1, due: leaseMs === 0, submission, changed });
    return true;
  }

  save(avatar: Avatar, version: number, { dueInMs, submission, silent }: Save): SaveResult {
    const entry = this.entries.get(avatar.id);
    if (entry?.version !== version) return { saved: false, reason: 'stale' };
    const { taskId } = avatar;
    const owner = taskId === null ? undefined : this.owners.get(taskId);
    if (owner !== undefined && owner !== avatar.id) return { saved: false, reason: 'task-taken' };
    if (taskId !== null) this.owners.set(taskId, avatar.id);
    Object.assign(entry, { avatar, version: version + 1, due: dueInMs === 0 });
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

  /** The newest first. */
  list(status: Status | null): Entry[] {
    const list = [...this.entries.values()].filter(
      ({ avatar }) => (status ?? avatar.status) === avatar.status,
    );
    const newest = (a: Avatar, b: Avatar) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
    return list.sort((a, b) => newest(a.avatar, b.avatar));
  }

  feed(): Entry[] {
    return [...this.entries.values()].sort((a, b) => a.changed - b.changed);
  }

  due(): Entry[] {
    return [...this.entries.values()].filter(({ due }) => due);
  }
}

type Call = (store: Store, model: Model) => Promise<void>;

const id = fc.constantFrom('av_1', 'av_2', 'av_3', 'av_4');
const leaseMs = fc.constantFrom(0, LONG);
const pieces = fc.array(
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  { maxLength: 3 },
);

/** How far off the version is: mostly right, so that the interesting paths are taken. */
const lag = fc.constantFrom(0, 0, 0, -1, 1);

const create = fc.tuple(id, fc.string({ unit: 'grapheme' }), pieces, leaseMs, fc.nat(2)).map(
  ([id, prompt, submission, lease, createdAt]): Call =>
    async (store, model) => {
      const avatar = avatarOf({ id, prompt, createdAt });
      const made = await store.create(avatar, submission, dueIn(lease)).then(
        ({ version }) => version === 1,
        (error: Error) => error.name !== 'AvatarExistsError' && Promise.reject(error),
      );
      assert.equal(made, model.create(avatar, Buffer.concat(submission), lease));
    },
);

const taskId = fc.constantFrom(null, 'task-1', 'task-2');
const submission = fc.constantFrom('keep' as const, 'drop' as const);
const status = fc.constantFrom('queued' as const, 'pending' as const, 'failed' as const);
const save = fc.tuple(id, lag, taskId, status, leaseMs, submission, fc.boolean()).map(
  ([id, lag, task, status, dueInMs, submission, silent]): Call =>
    async (store, model) => {
      const entry = model.entries.get(id);
      const before = entry?.avatar ?? avatarOf({ id });
      const avatar = { ...before, status, taskId: before.taskId ?? task };
      const version = (entry?.version ?? 1) + lag;
      const how = { dueInMs, submission, silent };
      assert.deepEqual(await store.save(avatar, version, how), model.save(avatar, version, how));
    },
);

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
      const due = model.due();
      const claimed = await store.claim(null, limit, lease);
      assert.equal(claimed.length, Math.min(limit, due.length));
      for (const { avatar, version } of claimed) {
        const entry = due.find((candidate) => candidate.avatar.id === avatar.id);
        assert.ok(entry, `${avatar.id} is not due`);
        assert.deepEqual({ avatar, version }, { avatar: entry.avatar, version: entry.version + 1 });
        Object.assign(entry, { version, due: lease === 0 });
      }
      assert.equal(new Set(claimed.map(({ avatar }) => avatar.id)).size, claimed.length);
    },
);

/** Everything that can be read. */
async function compare(store: Store, model: Model): Promise<void> {
  for (const id of ['av_1', 'av_2', 'av_3', 'av_4']) {
    const entry = model.entries.get(id);
    const found = await store.find(CALLER, id);
    assert.deepEqual(found && { avatar: found.avatar, version: found.version }, entry ? plain(entry) : null);
    assert.deepEqual(await store.submission(id), entry?.submission ?? null);
  }
  for (const status of [null, 'queued', 'pending', 'failed'] as const) {
    const query = { ...EVERYTHING, statuses: status && [status] };
    assert.deepEqual((await store.list(CALLER, query)).found.map(plain), model.list(status).map(plain));
  }
  const { changed, last, whole } = await store.feed(CALLER, 0, 9);
  assert.deepEqual(changed.map(plain), model.feed().map(plain));
  assert.ok(whole && last >= (changed.at(-1)?.at ?? 0));
  const next = (await store.outlook([])).dueInMs;
  if (model.entries.size === 0) assert.equal(next, null);
  else if (model.due().length > 0) assert.equal(next, 0);
  else assert.ok(next !== null && next > 0, `${next}`);
}

const plain = ({ avatar, version }: Pick<Entry, 'avatar' | 'version'>) => ({ avatar, version });

/** Throws where a fresh store of `open` and the model part ways. */
export async function modelAgrees(open: () => Promise<Store>): Promise<void> {
  const calls = fc.array(fc.oneof(create, save, save, remove, claim, claim), { minLength: 5, maxLength: 40 });
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
    { numRuns: 40 },
  );
}
