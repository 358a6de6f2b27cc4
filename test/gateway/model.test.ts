import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { openConnected } from '../store/fixtures-redis.js';
import { redisUrl } from '../support/redis.js';
import { type Loss, type Reaction, World } from './world.js';

const RUNS = 150;

const reactions = fc.array(
  fc.constantFrom<Reaction>('accept', 'accept-and-lose-the-answer', 'lose', 'refuse', 'limit', 'not-sent'),
  { maxLength: 8 },
);

const losses = fc.array(fc.constantFrom<Loss>('kept', 'lost-undone', 'lost-done'), { maxLength: 8 });

/** What happens, each to one of three workers: a request (with one of two keys, or none), a look for work, a death. */
const events = fc.array(
  fc.record({
    worker: fc.nat({ max: 2 }),
    event: fc.oneof(
      { weight: 4, arbitrary: fc.record({ ask: fc.constantFrom('key-1', 'key-2', null) }) },
      { weight: 4, arbitrary: fc.constant('look' as const) },
      { weight: 1, arbitrary: fc.constant('die' as const) },
      { weight: 4, arbitrary: fc.constant('wait' as const) },
    ),
  }),
  { minLength: 4, maxLength: 24 },
);

/** @param open a store without avatars. @param close is given the ids of those in it then */
function promises(
  t: Test,
  name: string,
  open: () => Promise<Store>,
  close: (store: Store, ids: readonly string[]) => Promise<void>,
) {
  return t.test(`${name}: promises 1 and 2 hold, whatever the order and whoever dies`, async (t) => {
    let tasks = 0;
    let deaths = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        reactions,
        losses,
        events,
        async (scheduler, reacts, lost, happenings) => {
          const made: string[] = [];
          const store = await open();
          const watched: Store = Object.assign(Object.create(store) as Store, {
            admit: async (...args: Parameters<Store['admit']>) => {
              const stored = await store.admit(...args);
              made.push(stored.avatar.id);
              return stored;
            },
            find: store.find.bind(store),
            submission: store.submission.bind(store),
            begin: store.begin.bind(store),
            claim: store.claim.bind(store),
            outlook: store.outlook.bind(store),
            keyIds: store.keyIds.bind(store),
            save: store.save.bind(store),
          });
          const world = new World(watched, scheduler, reacts, lost);
          const workers = [world.member(), world.member(), world.member()];
          for (const [n, { worker, event }] of happenings.entries()) {
            const member = workers[worker] ?? world.member();
            if (event === 'look') world.look(member);
            else if (event === 'die') {
              member.alive = false;
              workers[worker] = world.member();
              deaths++;
            } else if (event === 'wait') {
              await world.happen();
            } else world.ask(member, `request-${n}`, event.ask);
          }
          const avatars = await world.calm(async () => [...new Set(made)]);
          await close(store, made);

          // I1: at most one task for one request.
          const names = world.ledger.map(({ name }) => name);
          const keyless = names.filter((name) => name.startsWith('request-'));
          equal(new Set(keyless).size, keyless.length, 'I1: two tasks for one request');
          for (const avatar of avatars) {
            const own = world.ledger.filter(({ taskId }) => taskId === avatar.taskId);
            equal(own.length, avatar.taskId === null ? 0 : 1, 'I4: a task id that is in no ledger');
          }
          // I2
          equal(world.changedAfterTheEnd.length, 0, 'I2: a final avatar was worked on');
          // I3: who was told of an avatar finds it at its end.
          for (const { id } of world.told)
            equal(
              avatars.some((avatar) => avatar.id === id),
              true,
              'I3: lost',
            );
          // I4: every task is known to its avatar, or an avatar of that request is unconfirmed.
          for (const { name, taskId } of world.ledger) {
            const own = avatars.filter(({ prompt }) => prompt === name);
            equal(
              own.some((avatar) => avatar.taskId === taskId || avatar.status === 'unconfirmed'),
              true,
              'I4: a task that nobody knows',
            );
          }
          // I5: one key, one avatar.
          for (const key of ['key-1', 'key-2']) {
            const ids = avatars.filter(({ idempotency }) => idempotency?.key === key);
            equal(ids.length <= 1, true, 'I5: two avatars for one key');
            equal(names.filter((each) => each === key).length <= 1, true, 'I1: two tasks for one key');
          }
          tasks += world.ledger.length;
        },
      ),
      { numRuns: RUNS },
    );
    t.comment(`${RUNS} runs, ${tasks} tasks, ${deaths} deaths`);
    t.ok(tasks > 0 && deaths > 0);
  });
}

function equal<T>(found: T, wanted: T, what: string): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, not ${String(wanted)}`);
}

// To open this one takes long, and without its avatars it is as new.
const embedded = openSqliteStore({ dir: t.testdir() });
t.teardown(async () => (await embedded).close());
promises(
  t,
  'embedded',
  () => embedded,
  async (store, ids) => {
    for (const id of new Set(ids)) {
      const found = await store.find('caller', id);
      if (found !== null) await store.remove(id, found.version);
    }
  },
);

t.test('redis', async (t) => {
  const { url, prefix } = await redisUrl(t);
  await promises(
    t,
    'redis',
    async () => openConnected(t, { url, keyPrefix: `${prefix}-${randomUUID()}` }),
    (store) => store.close(),
  );
});
