/** Writers that go on while Redis is taken from under them, and what each of them was told. */

import type { Test } from 'tap';
import { accepted, canceled } from '../../src/domain/moves.js';
import { type Store, StoreUnavailableError } from '../../src/store/store.js';
import { until } from '../support/until.js';
import { avatarOf, beginWith, CALLER, dueIn, freely, LONG, SUBMISSION } from './fixtures.js';

const KEEP = { dueInMs: LONG, submission: 'keep' } as const;

export class Load {
  readonly #stores: readonly Store[];
  /** The highest version that was acknowledged, of each avatar that one writer made. */
  readonly #own = new Map<string, number>();
  /** Who was told to have written which version of the avatar that all write to. */
  readonly #shared = new Map<number, string[]>();
  #contested = avatarOf();
  #acknowledged = 0;
  readonly #refusals: string[] = [];
  #stopping = false;
  #writers: Promise<unknown> = Promise.resolve();

  private constructor(stores: readonly Store[]) {
    this.#stores = stores;
  }

  /** Two writers on each store, until the load is stopped; ended with the test. */
  static async start(t: Test, stores: readonly [Store, ...Store[]]): Promise<Load> {
    const load = new Load(stores);
    // Out of the queue, so that whatever is admitted is begun.
    const { avatar } = await stores[0].admit(load.#contested, [SUBMISSION], dueIn(LONG));
    load.#contested = canceled(avatar, { now: 0, retentionMs: LONG });
    await stores[0].save(load.#contested, 1, KEEP);
    t.teardown(() => load.stop());
    load.#writers = Promise.all([...stores, ...stores].map((store, i) => load.#write(store, `writer ${i}`)));
    return load;
  }

  /** Resolves once so many more writes were acknowledged. */
  async moreAcknowledged(count: number): Promise<void> {
    const enough = this.#acknowledged + count;
    await until(`${count} more writes`, async () => this.#acknowledged >= enough || null, PATIENT);
  }

  /** Resolves once a write was refused with such words since it was asked. */
  async refused(words: RegExp): Promise<void> {
    const from = this.#refusals.length;
    const found = async () => this.#refusals.slice(from).some((each) => words.test(each)) || null;
    await until(`a refusal with ${words}`, found, PATIENT);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#writers;
  }

  /** Stops, and looks for all that was acknowledged. */
  async isAllThere(t: Test): Promise<void> {
    await this.stop();
    const [store] = this.#stores as [Store];
    const lost: string[] = [];
    for (const [id, version] of this.#own) {
      const found = await store.find(CALLER, id);
      if (found === null || found.version < version) lost.push(`${id} at version ${version}`);
      else if (version > 1 && found.avatar.status !== 'pending') lost.push(`what was saved of ${id}`);
      else if (!Buffer.concat(mediaOf(id)).equals((await store.submission(id)) ?? Buffer.alloc(0)))
        lost.push(`media of ${id}`);
    }
    t.same(lost, [], `all of ${this.#own.size} are there`);
    const contested = await store.find(CALLER, this.#contested.id);
    const twice = [...this.#shared].filter(([, writers]) => writers.length > 1);
    t.same(twice, [], 'no version was given to two writers');
    t.ok(Number(contested?.version) >= Math.max(...this.#shared.keys()), 'and none that was given is gone');
  }

  async #write(store: Store, writer: string): Promise<void> {
    while (!this.#stopping) {
      try {
        const avatar = avatarOf();
        const begin = beginWith(freely());
        const admitted = await store.admit(avatar, mediaOf(avatar.id), dueIn(LONG, { begin }));
        this.#own.set(avatar.id, 1);
        if (admitted.outcome !== 'begun') throw new Error(`the avatar of one writer is ${admitted.outcome}`);
        const saved = await store.save(accepted(admitted.avatar, `task of ${avatar.id}`, 0), 1, KEEP);
        if (!saved.saved) throw new Error(`an avatar of one writer is ${saved.reason}`);
        this.#own.set(avatar.id, saved.version);
        const found = await store.find(CALLER, this.#contested.id);
        if (found === null) throw new Error('the avatar that all write to is gone');
        const won = await store.save({ ...found.avatar, prompt: writer }, found.version, KEEP);
        if (won.saved) this.#shared.set(won.version, [...(this.#shared.get(won.version) ?? []), writer]);
        this.#acknowledged += 1;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        this.#refusals.push(error.message);
        await new Promise((resolve) => setTimeout(resolve, 5)); // It is refused at once while Redis is away.
      }
    }
  }
}

/** What is submitted for an avatar; one in sixteen has more than goes into one command of Redis. */
const mediaOf = (id: string): Buffer[] => [SUBMISSION, Buffer.alloc(id.endsWith('0') ? 600_000 : 100, id)];

const PATIENT = { everyMs: 5, withinMs: 60_000 };
