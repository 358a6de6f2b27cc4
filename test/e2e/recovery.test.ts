/** Fault 30 and its like: whatever dies, what was answered 202 ends, and is paid for once at most. */

import t from 'tap';
import {
  create,
  finished,
  gatewayFor,
  postExample,
  read,
  STORES,
  settingsFor,
  simulatorFor,
} from './support.js';

t.setTimeout(600_000);

for (const store of STORES) {
  t.test(`${store.name}: killed while Modellix works, the avatar still succeeds`, async (t) => {
    const simulator = await simulatorFor(t, { settings: { taskMs: { min: 3000, max: 3000 } } });
    const env = { ...settingsFor(simulator), ...(await store.settings(t)) };
    const first = await gatewayFor(t, env);
    const { id, status, task_id } = await create(t, first.url);
    t.equal(status, 'pending');
    t.equal(await first.stop('SIGKILL'), null);

    const second = await gatewayFor(t, env);
    const avatar = await finished(second.url, id);
    t.equal(avatar.status, 'succeeded');
    t.equal(avatar.task_id, task_id);
    t.strictSame(
      simulator.ledger().map(({ taskId }) => taskId),
      [task_id],
    );
    t.equal(simulator.calls('submit').length, 1);
  });

  t.test(
    `${store.name}: killed with the submit under way, the avatar is unconfirmed and not sent again`,
    async (t) => {
      const simulator = await simulatorFor(t);
      const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
      const env = {
        ...settingsFor(simulator),
        ...(await store.settings(t)),
        SUBMIT_GRACE_SECONDS: '1',
        MODELLIX_CONNECT_TIMEOUT_SECONDS: '1',
        MODELLIX_SUBMIT_TIMEOUT_SECONDS: '3',
      };
      const first = await gatewayFor(t, env);
      const { id } = await create(t, first.url);
      await answer.met;
      await first.stop('SIGKILL');
      answer.release();

      const second = await gatewayFor(t, env);
      const avatar = await finished(second.url, id);
      t.equal(avatar.status, 'unconfirmed');
      const afterMs = Date.parse(avatar.completed_at ?? '') - Date.parse(avatar.created_at);
      t.ok(afterMs > 4000, `${afterMs} ms: the lease of the dead exceeds both time-outs`);
      t.match(avatar.error, {
        type: /outcome-unknown$/,
        detail: /while the request was under way/,
      });

      // Another avatar goes all the way meanwhile, so there was every chance to send the first one again.
      await finished(second.url, (await create(t, second.url)).id);
      t.equal((await read(second.url, id)).status, 'unconfirmed');
      t.equal(simulator.ledger().length, 2, 'one task each');
      t.equal(simulator.calls('submit').length, 2, 'one POST each');
    },
  );

  t.test(`${store.name}: Modellix away when the avatar is accepted, then back`, async (t) => {
    const simulator = await simulatorFor(t);
    const gateway = await gatewayFor(t, { ...settingsFor(simulator), ...(await store.settings(t)) });
    await simulator.pause();
    const { id, status } = await create(t, gateway.url);
    t.equal(status, 'queued');
    await simulator.resume();
    t.match(await finished(gateway.url, id), { status: 'succeeded', error: null });
    t.equal(simulator.ledger().length, 1);
    t.equal(simulator.calls('submit').length, 1);
  });

  t.test(`${store.name}: killed while the avatar waits for Modellix, it is sent by the next`, async (t) => {
    const simulator = await simulatorFor(t);
    const env = { ...settingsFor(simulator), ...(await store.settings(t)) };
    const first = await gatewayFor(t, env);
    await simulator.pause();
    const { id, status } = await create(t, first.url);
    t.equal(status, 'queued');
    await first.stop('SIGKILL');
    await simulator.resume();

    const second = await gatewayFor(t, env);
    t.match(await finished(second.url, id), { status: 'succeeded', error: null });
    t.equal(simulator.ledger().length, 1);
    t.equal(simulator.calls('submit').length, 1);
  });
}

t.test('redis: what one replica accepted, another finishes', async (t) => {
  const store = STORES.find(({ name }) => name === 'redis');
  const simulator = await simulatorFor(t, { settings: { taskMs: { min: 3000, max: 3000 } } });
  const env = { ...settingsFor(simulator), ...(await store?.settings(t)) };
  const [first, second] = await Promise.all([gatewayFor(t, env), gatewayFor(t, env)]);
  const { id } = await create(t, first.url);
  await first.stop('SIGKILL');
  t.equal((await finished(second.url, id)).status, 'succeeded');
  t.equal(simulator.calls('submit').length, 1);
});

t.test('a request that was refused leaves nothing behind to be sent later', async (t) => {
  const simulator = await simulatorFor(t);
  const settings = await STORES[0]?.settings(t);
  const gateway = await gatewayFor(t, { ...settingsFor(simulator), ...settings });
  t.equal((await postExample(gateway.url, { image: 'AAAA' })).status, 422);
  await finished(gateway.url, (await create(t, gateway.url)).id);
  t.equal(simulator.calls('submit').length, 1);
});
