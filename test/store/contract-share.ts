/** The part of the contract on shares of the queue. */

import { beginSubmit } from '../../src/domain/moves.js';
import type { Store } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, dueIn, idsOf, LONG, SUBMISSION } from './fixtures.js';

async function queueUp(store: Store, caller: string, share: number, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const { avatar } = await store.create(avatarOf({ caller }), [SUBMISSION], dueIn(LONG, { share }));
    ids.push(avatar.id);
  }
  return ids;
}

/** Submits so many, one after the other; says whose they were. */
async function submit(store: Store, count: number): Promise<string[]> {
  const callers: string[] = [];
  while (callers.length < count) {
    const [first] = await store.next(1);
    if (first === undefined) throw new Error('the queue is empty');
    const save = { dueInMs: LONG, submission: 'drop' } as const;
    await store.save(beginSubmit(first.avatar, 'key-1', 'intent-1'), first.version, save);
    callers.push(first.avatar.caller);
  }
  return callers;
}

const times = (callers: readonly string[], caller: string) =>
  callers.filter((each) => each === caller).length;

export function shares(check: Check): void {
  check('a caller with a share of 3 has its turn thrice while another has it once', async (t, { store }) => {
    const ids = await queueUp(store, 'thrice', 3, 9);
    await queueUp(store, 'once', 1, 4);
    const queue = await store.next(12);
    const callers = queue.map(({ avatar }) => avatar.caller);
    for (const turns of [1, 2, 3]) {
      const begin = callers.slice(0, 4 * turns);
      t.same([times(begin, 'thrice'), times(begin, 'once')], [3 * turns, turns], callers.join());
    }
    const own = queue.filter(({ avatar }) => avatar.caller === 'thrice');
    t.same(idsOf(own), ids, 'first come, first served');
  });

  check('who waits level with a larger share is not passed by', async (t, { store }) => {
    await queueUp(store, 'large', 100, 30);
    await queueUp(store, 'small', 1, 1);
    t.same(await submit(store, 30), Array(30).fill('large'), 'within a turn');
    await queueUp(store, 'large', 100, 80);
    const begin = await submit(store, 80);
    t.equal(times(begin, 'small'), 1, begin.join());
  });

  check('who had its turn waits a whole one, although the clock is behind that', async (t, { store }) => {
    await queueUp(store, 'once', 1, 1);
    await queueUp(store, 'fourfold', 4, 12);
    await submit(store, 7);
    await queueUp(store, 'once', 1, 1);
    t.same(await submit(store, 1), ['fourfold']);
    t.equal(times(await submit(store, 2), 'once'), 1);
  });

  check('a share that changes counts from the next avatar on', async (t, { store }) => {
    await queueUp(store, 'a', 1, 2);
    await queueUp(store, 'a', 2, 4);
    await queueUp(store, 'b', 1, 4);
    const callers = (await store.next(9)).map(({ avatar }) => avatar.caller);
    t.equal(times(callers.slice(0, 4), 'a'), 2, callers.join());
    t.equal(times(callers.slice(4, 7), 'a'), 2, callers.join());
  });
}
