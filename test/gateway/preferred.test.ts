/** Where calls are short, what somebody waits for is looked at before what nobody does. */

import { join } from 'node:path';
import t from 'tap';
import { accepted } from '../../src/domain/moves.js';
import { Limits } from '../../src/gateway/limits/limits.js';
import { Timing } from '../../src/gateway/limits/timing.js';
import type { Ports } from '../../src/gateway/ports.js';
import { Worker } from '../../src/gateway/worker.js';
import type { ApiKey } from '../../src/modellix/api-key.js';
import { KeyPool } from '../../src/modellix/keyring.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { avatarOf, beginFirst, dueIn, LONG, SUBMISSION } from '../store/fixtures.js';
import { SETTINGS } from './world.js';

const KEYS = new KeyPool(['key']);
const [KEY] = KEYS.keys();
const TASKS = 20;

t.test('the last that is due is looked at first where somebody waits for it', async (t) => {
  const store = await openSqliteStore({ dir: join(t.testdir({}), 'tasks') });
  t.teardown(() => store.close());
  if (KEY === undefined) throw new Error('there is no key');
  for (let i = 0; i < TASKS; i++) await store.admit(avatarOf({ id: `av_${i}` }), [SUBMISSION], dueIn(LONG));
  for (const { avatar, version } of await beginFirst(store, TASKS, KEY.id)) {
    const save = { dueInMs: 0, submission: 'drop' } as const;
    await store.save(accepted(avatar, `task of ${avatar.id}`, 0), version, save);
  }
  const last = `av_${TASKS - 1}`;
  const polled: string[] = [];
  const ports = {
    store,
    limits: new Limits(store, { callsPerMinute: 60, tasks: TASKS }, () => 0, ['/submit']),
    timing: new Timing(store, { pollMinMs: 0, pollMaxMs: 0, longPollMs: 0, netMs: null }, () => 0),
    keyring: KEYS,
    modellix: {
      query(_key: ApiKey, taskId: string) {
        polled.push(taskId);
        return new Promise<never>(() => {});
      },
    },
    settings: SETTINGS,
    stopping: new AbortController().signal,
    watched: new Set([last]),
  } as unknown as Ports;
  const worker = new Worker(ports);
  await worker.pass();
  t.ok(polled.length > 1 && polled.length < TASKS, `${polled.length} of ${TASKS} calls`);
  t.equal(polled[0], `task of ${last}`);
});
