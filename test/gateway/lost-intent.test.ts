/** Keeps a submit from being put back in the queue, and paid for twice, by a replica that could not begin it. */

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Limits } from '../../src/gateway/limits/limits.js';
import type { Ports } from '../../src/gateway/ports.js';
import { intend, meant, withdrawIntent } from '../../src/gateway/submit.js';
import { ApiKey } from '../../src/modellix/api-key.js';
import { openSpool } from '../../src/store/spool.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { avatarOf, CALLER, dueIn, LONG, SUBMISSION } from '../store/fixtures.js';
import { COUNTS, SETTINGS } from './world.js';

const KEY = new ApiKey('key');

/** A queued avatar, and what its submit is begun with. */
async function queued(t: Test) {
  const store = await openSqliteStore({ dir: join(t.testdir({}), 'tasks') });
  t.teardown(() => store.close());
  const silent = () => undefined;
  const ports = {
    store,
    limits: new Limits(store, { callsPerMinute: 100, tasks: 3 }, () => 0),
    spool: await openSpool(join(t.testdirName, 'answers')),
    settings: SETTINGS,
    log: { info: silent, warn: silent, error: silent },
    counts: COUNTS,
    random: () => 0,
    stopping: new AbortController().signal,
  } as Partial<Ports> as Ports;
  const { id } = (await store.create(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
  const [stored] = await store.next(1);
  if (stored === undefined) throw new Error('nothing is next');
  return { ports, stored, find: () => store.find(CALLER, id) };
}

t.test('an intent that was not written takes nothing back of the one that was', async (t) => {
  const { ports, stored, find } = await queued(t);
  const [ours, theirs] = [meant(stored, KEY), meant(stored, KEY)];
  const begun = await intend(ports, theirs);
  await withdrawIntent(ports, ours);
  t.match(await find(), { avatar: theirs.avatar, version: begun?.version, ahead: null });
});

t.test('an intent that was written all the same is taken back', async (t) => {
  const { ports, stored, find } = await queued(t);
  const ours = meant(stored, KEY);
  t.ok(await intend(ports, ours));
  await withdrawIntent(ports, ours);
  t.match(await find(), { avatar: { status: 'queued' }, ahead: 0 });
});
