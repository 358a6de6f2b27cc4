/** The part of the contract on slots when many begin, admit and save at once. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { accepted, failed, requeued } from '../../src/domain/moves.js';
import type { Store, Stored, SubmitTerms } from '../../src/store/store.js';
import type { Check, Opened } from './contract-damage.js';
import { avatarOf, beginWith, CALLER, dueIn, EVERYTHING, freely, KEY, LONG, SUBMISSION } from './fixtures.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;
const DROP = { dueInMs: LONG, submission: 'drop' } as const;
const FAILURE = { type: 'task-failed', detail: 'no', upstreamStatus: null } as const;
const ENDING = { now: 0, retentionMs: LONG };

/** Several ways to the same data, where there can be. */
async function storesOf({ store, peer }: Opened): Promise<Store[]> {
  return [store, ...(peer === undefined ? [] : [await peer(), await peer()])];
}

const admit = (store: Store, keys: readonly SubmitTerms[]) =>
  store.admit(avatarOf(), [SUBMISSION], dueIn(LONG, { begin: beginWith(...keys) }));

/** What a replica does: begins, and brings each to an end or back; `held` hears how many hold a slot by what it was told. */
class Replica {
  readonly #store: Store;
  readonly #keys: readonly SubmitTerms[];
  readonly #held: Map<string, number>;

  constructor(store: Store, keys: readonly SubmitTerms[], held: Map<string, number>) {
    this.#store = store;
    this.#keys = keys;
    this.#held = held;
  }

  async admit(): Promise<void> {
    const { outcome, ...stored } = await admit(this.#store, this.#keys);
    if (outcome === 'begun') await this.#work([stored]);
  }

  async begin(limit: number): Promise<void> {
    await this.#work((await this.#store.begin(beginWith(...this.#keys), limit)).begun);
  }

  async #work(begun: readonly Stored[]): Promise<void> {
    for (const { avatar } of begun) this.#count(avatar.keyId, 1);
    await Promise.all(begun.map((stored, i) => this.#end(stored, i)));
  }

  /** A slot is counted as free before the write that frees it is sent. */
  async #end({ avatar, version }: Stored, i: number): Promise<void> {
    if (i % 3 === 0) {
      const pending = accepted(avatar, `task of ${avatar.id}`, 0);
      const saved = await this.#store.save(pending, version, DROP);
      assert.deepEqual(saved, { saved: true, version: version + 1 });
      this.#count(avatar.keyId, -1);
      await this.#store.save(failed(pending, FAILURE, ENDING), version + 1, DROP);
    } else {
      this.#count(avatar.keyId, -1);
      const back = i % 3 === 1 ? requeued(avatar) : failed(avatar, FAILURE, ENDING);
      await this.#store.save(back, version, KEEP);
    }
  }

  #count(keyId: string | null, change: number): void {
    assert.ok(keyId !== null);
    const held = (this.#held.get(keyId) ?? 0) + change;
    this.#held.set(keyId, held);
    const slots = this.#keys.find((key) => key.keyId === keyId)?.slots ?? 0;
    assert.ok(held <= slots, `${held} of ${slots} slots of ${keyId}`);
  }
}

export function races(check: Check): void {
  check('of 100 that are admitted and begun at once, as many are as there are slots', async (t, opened) => {
    const stores = await storesOf(opened);
    const key = { ...freely(), slots: 7 };
    const of = (i: number) => stores[i % stores.length] ?? opened.store;
    const [admitted, begun] = await Promise.all([
      Promise.all(Array.from({ length: 100 }, (_, i) => admit(of(i), [key]))),
      Promise.all(Array.from({ length: 50 }, (_, i) => of(i).begin(beginWith(key), 3))),
    ]);
    const taken = [
      ...admitted.filter(({ outcome }) => outcome === 'begun'),
      ...begun.flatMap((each) => each.begun),
      ...(await opened.store.begin(beginWith(key), 99)).begun,
    ].map(({ avatar }) => avatar.id);
    t.equal(taken.length, 7);
    t.equal(new Set(taken).size, 7, 'no avatar was begun twice');
    t.equal((await opened.store.outlook([KEY])).keys.get(KEY)?.slots, 7);
    t.equal((await opened.store.outlook([])).queued, 93);
    const submitting = await opened.store.list(CALLER, { ...EVERYTHING, statuses: ['submitting'] });
    t.same(submitting.found.map(({ avatar }) => avatar.id).toSorted(), taken.toSorted());
  });

  check('of calls that are taken at once, as many are as there are', async (t, opened) => {
    const stores = await storesOf(opened);
    const key = { keyId: KEY, slots: 99, calls: { intervalMs: LONG, burst: 5 } };
    const of = (i: number) => stores[i % stores.length] ?? opened.store;
    const admitted = await Promise.all(Array.from({ length: 60 }, (_, i) => admit(of(i), [key])));
    const begun = await Promise.all(Array.from({ length: 60 }, (_, i) => of(i).begin(beginWith(key), 2)));
    const count =
      admitted.filter(({ outcome }) => outcome === 'begun').length +
      begun.flatMap((each) => each.begun).length;
    t.equal(count, 5);
  });

  check('whatever replicas do at once, no slot is taken twice, and none is lost', async (t, opened) => {
    const stores = await storesOf(opened);
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('admit' as const) },
      fc.integer({ min: 1, max: 5 }),
    );
    let run = 0;
    const property = async (slots: readonly [number, number], lists: readonly (number | 'admit')[][]) => {
      run += 1;
      const keys = slots.map((each, i) => ({ ...freely(`key-${run}-${i}`), slots: each }));
      const held = new Map<string, number>();
      await Promise.all(
        lists.map(async (steps, i) => {
          const replica = new Replica(stores[i % stores.length] ?? opened.store, keys, held);
          for (const each of steps) await (each === 'admit' ? replica.admit() : replica.begin(each));
        }),
      );
      const ids = keys.map(({ keyId }) => keyId);
      const outlook = await opened.store.outlook(ids);
      for (const keyId of ids) assert.equal(outlook.keys.get(keyId)?.slots, 0, 'all were given back');
      const left = await opened.store.begin(beginWith(freely('the end')), 999);
      assert.equal(left.begun.length, outlook.queued);
      for (const { avatar, version } of left.begun) await opened.store.remove(avatar.id, version);
    };
    const slots = fc.tuple(fc.nat(3), fc.nat(3));
    const lists = fc.array(fc.array(step, { minLength: 2, maxLength: 8 }), { minLength: 3, maxLength: 6 });
    await fc.assert(fc.asyncProperty(slots, lists, property), { numRuns: 15 });
    t.pass('no run was found in which it is');
  });
}
