/** Where calls are short, what somebody waits for is looked at before what nobody does. */

import { join } from 'node:path';
import t from 'tap';
import { accepted, beginSubmit } from '../../src/domain/moves.js';
import { Limits } from '../../src/gateway/limits.js';
import { pass } from '../../src/gateway/pass.js';
import type { Ports } from '../../src/gateway/ports.js';
import { Timing } from '../../src/gateway/timing.js';
import { KeyPool } from '../../src/modellix/keyring.js';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { avatarOf, dueIn, LONG, SUBMISSION } from '../store/fixtures.js';
import { SETTINGS } from './world.js';

const KEYS = new KeyPool(['key']);
const [KEY] = KEYS.keys();
const TASKS = 20;

t.test('the last that is due is looked at first where somebody waits for it', async (t) => {
  const store = await openEmbeddedStore({ dir: join(t.testdir({}), 'tasks') });
  t.teardown(() => store.close());
  if (KEY === undefined) throw new Error('there is no key');
  for (let i = 0; i < TASKS; i++) {
    const { avatar, version } = await store.create(avatarOf({ id: `av_${i}` }), [SUBMISSION], dueIn(LONG));
    const next = accepted(beginSubmit(avatar, KEY.id, `intent-${i}`), `task-${i}`, 0);
    await store.save(next, version, { dueInMs: 0, submission: 'drop' });
  }
  const last = `av_${TASKS - 1}`;
  const begun: (string | undefined)[] = [];
  const ports = {
    store,
    limits: new Limits(store, { callsPerMinute: 10, tasks: TASKS }, () => 0),
    timing: new Timing(store, { pollMinMs: 0, pollMaxMs: 0, longPollMs: 0 }, () => 0),
    keyring: KEYS,
    settings: SETTINGS,
    watched: new Set([last]),
  } as Partial<Ports> as Ports;
  await pass(
    ports,
    {
      room: () => TASKS,
      begin: (_kind, { avatar }) => begun.push(avatar?.id),
      atHand: () => undefined,
      memory: () => null,
    },
    [KEY.id],
  );
  t.ok(begun.length < TASKS, `${begun.length} of ${TASKS} calls`);
  t.equal(begun[0], last);
});
