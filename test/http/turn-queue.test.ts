/** How fast a crowd is served. Who goes first is in turns.test.ts. */

import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { TurnQueue } from '../../src/http/turn-queue.js';

const CROWD = 50;

/** Resolves when all of a crowd was begun with, with how many turns of the event loop that took. */
async function serveCrowd(queue: TurnQueue): Promise<number> {
  let begun = 0;
  for (let place = 0; place < CROWD; place++) {
    queue.putInCrowd(place, () => {
      begun += 1;
    });
  }
  let turns = 0;
  for (; begun < CROWD; turns++) await turn();
  return turns;
}

t.test('one of it a millisecond where something goes first', async (t) => {
  const queue = new TurnQueue();
  queue.putFirst(() => undefined);
  const startedAt = performance.now();
  await serveCrowd(queue);
  const tookMs = performance.now() - startedAt;
  // Four may be made up for.
  t.ok(tookMs >= CROWD - 5, `${tookMs} ms`);
});

t.test('one of it a turn where nothing does', async (t) => {
  const turns = await serveCrowd(new TurnQueue());
  t.ok(turns < 2 * CROWD, `${turns} turns`);
});

t.test('what goes first does not wait for the next of it', async (t) => {
  const queue = new TurnQueue();
  queue.putFirst(() => undefined);
  const served = serveCrowd(queue);
  await turn();
  await turn();
  let begun = false;
  queue.putFirst(() => {
    begun = true;
  });
  await turn();
  await turn();
  t.ok(begun);
  await served;
});
