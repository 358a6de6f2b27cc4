/** Waiting for a change: none is missed, and no wait is longer than it was asked for. */

import t, { type Test } from 'tap';
import { Changes } from '../../src/gateway/changes.js';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { avatarOf, dueIn, LONG, SUBMISSION } from '../store/fixtures.js';

const HOUR_MS = 3_600_000;

async function started(t: Test) {
  const store = await openEmbeddedStore({ dir: t.testdir() });
  let wakes = 0;
  const changes = new Changes(store, () => {
    wakes += 1;
  });
  t.teardown(async () => {
    changes.close();
    await store.close();
  });
  const create = async () => {
    let { avatar, version } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    const write = async () => {
      const saved = await store.save(avatar, version, { dueInMs: LONG, submission: 'keep' });
      if (!saved.saved) throw new Error(saved.reason);
      version = saved.version;
    };
    return { id: avatar.id, write };
  };
  return { store, changes, create, wakes: () => wakes };
}

/** Says no until it is told otherwise; `asked` resolves when it was asked so often. */
function question() {
  let [times, answer] = [0, false];
  const waiting = new Map<number, () => void>();
  return {
    ask: async () => {
      times += 1;
      waiting.get(times)?.();
      return answer;
    },
    asked: (often: number) =>
      new Promise<void>((resolve) => (times >= often ? resolve() : waiting.set(often, resolve))),
    settle: () => {
      answer = true;
    },
    times: () => times,
  };
}

t.test('what is so already is not waited for', async (t) => {
  const { changes, create } = await started(t);
  const { id } = await create();
  const it = question();
  it.settle();
  await changes.until(id, HOUR_MS, it.ask);
  t.equal(it.times(), 1);
});

t.test('it is asked again after each change, until it is so', async (t) => {
  const { changes, create } = await started(t);
  const { id, write } = await create();
  const it = question();
  const wait = changes.until(id, HOUR_MS, it.ask);
  await it.asked(1);
  await write();
  await it.asked(2);
  it.settle();
  await write();
  await wait;
  t.equal(it.times(), 3);
});

t.test('it ends on time, after a last question', async (t) => {
  const { changes, create } = await started(t);
  const { id } = await create();
  const it = question();
  const begun = performance.now();
  await changes.until(id, 30, it.ask);
  t.ok(performance.now() - begun >= 25);
  t.equal(it.times(), 2);
});

t.test('where the word of a change was lost, the last question finds it', async (t) => {
  const { changes, create } = await started(t);
  const { id } = await create();
  const it = question();
  const wait = changes.until(id, 30, it.ask);
  await it.asked(1);
  it.settle();
  await wait;
  t.equal(it.times(), 2);
});

t.test('a change that happens while it is asked is not missed, and several are one', async (t) => {
  const { changes, create } = await started(t);
  const { id, write } = await create();
  let times = 0;
  await changes.until(id, HOUR_MS, async () => {
    times += 1;
    if (times > 1) return true;
    await write();
    await write();
    return false;
  });
  t.equal(times, 2);
});

t.test('time that runs out while it is asked ends it with the answer', async (t) => {
  const { changes, create } = await started(t);
  const { id } = await create();
  let times = 0;
  await changes.until(id, 1, async () => {
    times += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  });
  t.equal(times, 1);
});

t.test('a change of another avatar is nobody else’s', async (t) => {
  const { changes, create, wakes } = await started(t);
  const [mine, other] = [await create(), await create()];
  const it = question();
  const wait = changes.until(mine.id, HOUR_MS, it.ask);
  await it.asked(1);
  const before = wakes();
  await other.write();
  t.equal(wakes(), before + 1, 'though the worker hears of all');
  t.equal(it.times(), 1);
  it.settle();
  await mine.write();
  await wait;
});

t.test('any number wait for the same avatar, without a warning', async (t) => {
  const { changes, create } = await started(t);
  const { id, write } = await create();
  process.on('warning', (warning) => t.fail(warning.message));
  const its = Array.from({ length: 50 }, question);
  const waits = its.map(({ ask }) => changes.until(id, HOUR_MS, ask));
  await Promise.all(its.map(({ asked }) => asked(1)));
  for (const { settle } of its) settle();
  await write();
  await Promise.all(waits);
  t.strictSame([...new Set(its.map(({ times }) => times()))], [2]);
});

t.test('a question that fails ends the wait with its error, and is not asked again', async (t) => {
  const { changes, create } = await started(t);
  const { id, write } = await create();
  let times = 0;
  const wait = changes.until(id, HOUR_MS, async () => {
    times += 1;
    throw new RangeError('no answer');
  });
  await t.rejects(wait, new RangeError('no answer'));
  await write();
  t.equal(times, 1);
});

t.test('after the close nobody is woken; who still waits, waits to the end', async (t) => {
  const { changes, create, wakes } = await started(t);
  const { id, write } = await create();
  const it = question();
  const wait = changes.until(id, 30, it.ask);
  await it.asked(1);
  changes.close();
  const before = wakes();
  await write();
  t.equal(wakes(), before);
  t.equal(it.times(), 1);
  await wait;
});
