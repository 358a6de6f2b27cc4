/** Keeps a submit from being put back in the queue, and paid for twice, by a replica that was not told that it began it. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Avatar } from '../../src/domain/avatar.js';
import { Limits } from '../../src/gateway/limits/limits.js';
import type { Ports } from '../../src/gateway/ports.js';
import { withdraw } from '../../src/gateway/withdraw.js';
import { openSpool } from '../../src/store/spool.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import {
  avatarOf,
  beginNext,
  beginWith,
  CALLER,
  dueIn,
  freely,
  LONG,
  SUBMISSION,
} from '../store/fixtures.js';
import { COUNTS, SETTINGS } from './world.js';

const OURS = 'the intent of the admission whose reply was lost';
const idempotency = { key: 'order-17', fingerprint: 'f' };

/** A store, and what an admission is taken back with. */
async function started(t: Test) {
  const store = await openSqliteStore({ dir: join(t.testdir({}), 'tasks') });
  t.teardown(() => store.close());
  const silent = () => undefined;
  const ports = {
    store,
    limits: new Limits(store, { callsPerMinute: 100, tasks: 3 }, () => 0, ['/submit']),
    spool: await openSpool(join(t.testdirName, 'answers')),
    settings: SETTINGS,
    log: { info: silent, warn: silent, error: silent },
    counts: COUNTS,
    random: () => 0,
    stopping: new AbortController().signal,
  } as Partial<Ports> as Ports;
  const admit = async (avatar: Avatar, begins: boolean) => {
    const begin = { ...beginWith(freely()), intent: OURS };
    await store.admit(avatar, [SUBMISSION], dueIn(LONG, begins ? { begin } : {}));
    return avatar;
  };
  const takeBack = (avatar: Avatar, withinMs = 1_000) =>
    withdraw(ports, avatar, OURS, performance.now() + withinMs);
  return { store, admit, takeBack, find: ({ id }: Avatar) => store.find(CALLER, id) };
}

t.test('what another replica began meanwhile is not taken back', async (t) => {
  const { store, admit, takeBack, find } = await started(t);
  for (const avatar of [avatarOf({ idempotency }), avatarOf()]) {
    await admit(avatar, false);
    const theirs = await beginNext(store);
    await takeBack(avatar);
    t.match(await find(avatar), { avatar: theirs.avatar, version: theirs.version, ahead: null });
    t.not(theirs.avatar.intent, OURS);
  }
});

t.test('what was begun all the same waits in the queue where its caller can find it', async (t) => {
  const { admit, takeBack, find } = await started(t);
  const avatar = await admit(avatarOf({ idempotency }), true);
  t.match(await find(avatar), { avatar: { status: 'submitting', intent: OURS } });
  await takeBack(avatar);
  t.match(await find(avatar), { avatar: { status: 'queued' }, ahead: 0 });
});

t.test('what was begun all the same is gone where its caller cannot find it', async (t) => {
  const { store, admit, takeBack, find } = await started(t);
  const avatar = await admit(avatarOf(), true);
  await takeBack(avatar);
  t.equal(await find(avatar), null);
  t.match(await store.outlook(['key-1']), { queued: 0, dueInMs: null });
  t.equal((await store.outlook(['key-1'])).keys.get('key-1')?.slots, 0);
});

t.test('an admission that was never written leaves nothing to take back', async (t) => {
  const { takeBack, find } = await started(t);
  for (const avatar of [avatarOf({ idempotency }), avatarOf()]) {
    await takeBack(avatar);
    t.equal(await find(avatar), null);
  }
});
