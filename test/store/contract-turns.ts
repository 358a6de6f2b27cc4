/** The part of the contract on turns: what leaves the queue unsubmitted costs its caller none, and gains it none. */

import type { Avatar } from '../../src/domain/avatar.js';
import { canceled, failed } from '../../src/domain/moves.js';
import type { Store, Stored } from '../../src/store/store.js';
import type { Check } from './contract-damage.js';
import { avatarOf, beginNext, dueIn, LONG, SUBMISSION } from './fixtures.js';

const DROP = { dueInMs: LONG, submission: 'drop' } as const;
const ENDING = { now: 0, retentionMs: LONG };
const FAILURE = { type: 'never-sent', detail: 'no', upstreamStatus: null } as const;

const queue = (store: Store, caller: string): Promise<Stored> =>
  store.admit(avatarOf({ caller }), [SUBMISSION], dueIn(LONG));

async function queueUp(store: Store, caller: string, count: number): Promise<Stored[]> {
  const made: Stored[] = [];
  while (made.length < count) made.push(await queue(store, caller));
  return made;
}

type Leave = (store: Store, stored: Stored) => Promise<unknown>;

const saved =
  (move: (avatar: Avatar) => Avatar): Leave =>
  (store, { avatar, version }) =>
    store.save(move(avatar), version, DROP);
const cancel = saved((avatar) => canceled(avatar, ENDING));
const LEAVES: Readonly<Record<string, Leave>> = {
  canceled: cancel,
  failed: saved((avatar) => failed(avatar, FAILURE, ENDING)),
  removed: (store, { avatar, version }) => store.remove(avatar.id, version),
};

/** Begins submits one by one until that of the avatar; says how many others were begun before it. */
async function othersBefore(store: Store, { avatar }: Stored): Promise<number> {
  for (let others = 0; ; others++) if ((await beginNext(store)).avatar.id === avatar.id) return others;
}

export function turns(check: Check): void {
  for (const [how, leave] of Object.entries(LEAVES)) {
    for (const order of ['first', 'last'] as const) {
      check(
        `[B1] [F59] 300 that are ${how}, the ${order} one first, cost the next nothing`,
        async (t, { store }) => {
          await queueUp(store, 'b', 5);
          const gone = await queueUp(store, 'a', 300);
          await beginNext(store);
          for (const stored of order === 'first' ? gone : gone.reverse()) await leave(store, stored);
          await queueUp(store, 'b', 20);
          const others = await othersBefore(store, await queue(store, 'a'));
          t.ok(others <= 2, `${others} others were before it`);
        },
      );
    }
  }

  check('[B1] [F59] who takes back its latest is served right behind those it kept', async (t, { store }) => {
    await queueUp(store, 'b', 40);
    const made = await queueUp(store, 'a', 20);
    for (const stored of made.slice(1).reverse()) await cancel(store, stored);
    const [kept] = made as [Stored];
    const next = await queue(store, 'a');
    const before = await othersBefore(store, kept);
    t.ok(before <= 1, `${before} before the one that was kept`);
    const between = await othersBefore(store, next);
    t.ok(between <= 2, `${between} between the two`);
  });

  check('taking back and queueing again gains no turn', async (t, { store }) => {
    await queueUp(store, 'b', 30);
    const begun: string[] = [];
    await queue(store, 'a');
    for (let i = 0; i < 20; i++) {
      begun.push((await beginNext(store)).avatar.caller);
      if (begun.at(-1) === 'a') {
        await cancel(store, await queue(store, 'a'));
        await queue(store, 'a');
      }
    }
    const own = begun.filter((caller) => caller === 'a').length;
    t.ok(own >= 9 && own <= 11, begun.join());
  });

  check('an avatar whose submit was begun keeps its turn, whatever becomes of it', async (t, { store }) => {
    await queueUp(store, 'b', 30);
    const begun: string[] = [];
    await queue(store, 'a');
    for (let i = 0; i < 20; i++) {
      const { avatar, version } = await beginNext(store);
      begun.push(avatar.caller);
      if (avatar.caller !== 'a') continue;
      await store.save(failed(avatar, FAILURE, ENDING), version, DROP);
      await queue(store, 'a');
    }
    const own = begun.filter((caller) => caller === 'a').length;
    t.ok(own >= 9 && own <= 11, begun.join());
  });
}
