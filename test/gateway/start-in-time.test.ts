/** A submit that was begun in time, and could not be made by then. */

import t from 'tap';
import { until } from '../support/until.js';
import { gatewayOn, STORES } from './one-gateway.js';

const CANCELED = { status: 'canceled', taskId: null, failure: { type: 'not-started-in-time' } };

for (const [name, open] of Object.entries(STORES)) {
  t.test(`${name}: what the store said too late is not sent`, async (t) => {
    const startWithinMs = 50;
    const { create, find, worker, asked } = gatewayOn(t, await open(t), {
      async meddle(name, call) {
        const answer = await call();
        const end = Date.now() + startWithinMs;
        if (name === 'admit') await until('its time is over', async () => Date.now() > end || null);
        return answer;
      },
    });
    const { avatar } = await create('late', { startWithinMs });
    t.match(avatar, { status: 'queued', attempt: 1 }, 'it was begun, and given back');
    worker.start();
    const ended = await until('it has ended', async () => {
      const found = await find(avatar.id);
      return found?.status === 'queued' ? null : found;
    });
    t.match(ended, CANCELED);
    t.notOk(asked.includes('POST'));
  });

  t.test(`${name}: what did not leave is tried again until then, and no longer`, async (t) => {
    const submit = () => ({ kind: 'not-sent' as const, reason: 'no connection' });
    const { create, find, worker } = gatewayOn(t, await open(t), { submit });
    const { avatar } = await create('away', { startWithinMs: 100 });
    worker.start();
    const ended = await until('it has ended', async () => {
      const found = await find(avatar.id);
      return found?.status === 'canceled' ? found : null;
    });
    t.match(ended, CANCELED);
    t.ok(Number(ended.completedAt) >= Number(ended.startBy));
  });
}
