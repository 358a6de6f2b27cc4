import t from 'tap';
import { startApp } from '../support/app.js';
import { createAvatar } from '../support/requests.js';

// What 429 and 503 mean for a submit is a setting; these are the ways that are not the default.

t.test('429 can be told to leave the outcome open', async (t) => {
  const { url, simulator } = await startApp(t, { gateway: { notMadeOn: new Set() } });
  simulator.inject({ on: 'submit', do: { status: 429 } });
  t.match(await createAvatar(url), { status: 'unconfirmed', error: { upstream_status: 429 } });
});

t.test('503 can be told to mean that nothing was made', async (t) => {
  const { url, simulator } = await startApp(t, { gateway: { notMadeOn: new Set([503]) } });
  simulator.inject({ on: 'submit', do: { status: 503 } });
  t.match(await createAvatar(url), { status: 'queued', error: null });
  await simulator.nextTask();
  t.equal(simulator.calls('submit').length, 2);
});
