import t, { type Test } from 'tap';
import type { StoreName } from '../faults/cases.js';
import { Subject } from '../faults/subject.js';
import { startWorld } from '../faults/world.js';
import type { RunningApp } from '../support/app.js';
import { createAvatar, postJson, readAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';

const STORES: readonly StoreName[] = ['embedded', 'redis'];

const cancel = ({ url }: { url: string }, id: string) =>
  fetch(`${url}/avatars/${id}/cancel`, { method: 'POST' });
const forget = ({ url }: { url: string }, id: string) => fetch(`${url}/avatars/${id}`, { method: 'DELETE' });

/** One that is at Modellix, and one that waits for it to be done. */
async function runningAndQueued(app: RunningApp) {
  const running = await Subject.post(app);
  const queued = await Subject.post(app);
  return { running, queued };
}

async function isProblem(t: Test, response: Response, status: number, slug: string): Promise<void> {
  t.equal(response.status, status);
  t.match(await response.json(), { type: `urn:avatar-gateway:problem:${slug}` });
}

for (const store of STORES) {
  t.test(`on ${store}`, async (t) => {
    const app = await startWorld(t, store, { limits: { tasks: 1 } });
    const { url, simulator } = app;

    await t.test('a queued avatar is canceled, and never sent', async (t) => {
      const { running, queued } = await runningAndQueued(app);
      const behind = await Subject.post(app);
      t.match((await behind.read()).queue, { position: 2 });
      const response = await cancel(app, queued.id);
      t.equal(response.status, 200);
      const avatar = await response.json();
      t.match(avatar, { id: queued.id, status: 'canceled', queue: null, error: null, task_id: null });
      t.match(avatar, { completed_at: /^2/, expires_at: /^2/ });
      t.match((await behind.read()).queue, { position: 1 }, 'its place is free at once');
      const again = await cancel(app, queued.id);
      t.equal(again.status, 200);
      t.strictSame(await again.json(), avatar, 'the same answer');
      t.strictSame(await queued.read(), avatar);
      await running.succeeds();
      await behind.succeeds();
      t.same([queued.posts().length, behind.posts().length], [0, 1]);
    });

    await t.test('what is not queued is not canceled', async (t) => {
      const running = await Subject.post(app);
      await isProblem(t, await cancel(app, running.id), 409, 'not-cancelable');
      await running.succeeds();
      await isProblem(t, await cancel(app, running.id), 409, 'not-cancelable');
      t.equal((await running.read()).status, 'succeeded');
    });

    await t.test('a final avatar is forgotten, and its key is free again', async (t) => {
      const ask = () => postJson(url, URLS, { 'idempotency-key': 'once' });
      const { id } = (await (await ask()).json()) as { id: string };
      await isProblem(t, await forget(app, id), 409, 'not-final');
      simulator.settle((await readAvatar(url, id)).task_id ?? '', { end: 'success' });
      await until('success', async () => (await readAvatar(url, id)).status === 'succeeded' || null);
      const response = await forget(app, id);
      t.equal(response.status, 204);
      t.equal(await response.text(), '');
      for (const gone of [
        await fetch(`${url}/avatars/${id}`),
        await forget(app, id),
        await cancel(app, id),
      ]) {
        await isProblem(t, gone, 404, 'not-found');
      }
      const next = await ask();
      t.equal(next.headers.get('idempotent-replayed'), null);
      t.not(((await next.json()) as { id: string }).id, id);
    });

    await t.test('an unconfirmed avatar is not forgotten', async (t) => {
      const other = await startWorld(t, store);
      other.simulator.inject({ on: 'submit', when: 'after', do: { reset: 'head' } });
      const { id } = await createAvatar(other.url);
      await isProblem(t, await forget(other, id), 409, 'not-final');
      t.equal((await readAvatar(other.url, id)).status, 'unconfirmed');
      await fetch(`${other.url}/avatars/${id}/resolve`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ made: false }),
      });
      t.equal((await forget(other, id)).status, 204);
    });
  });
}

t.test('a cancel at one replica while the other submits: either, never both', async (t) => {
  const app = await startWorld(t, 'redis', { limits: { tasks: 1 } });
  const other = await app.restart();
  const came = { canceled: 0, sent: 0 };
  for (let round = 0; round < 20; round++) {
    const { running, queued } = await runningAndQueued(app);
    const { task_id } = await running.becomes('pending', 'processing');
    // From here on a slot is free, and both replicas look for whose turn it is.
    app.simulator.settle(task_id ?? '', { end: 'success' });
    if (round % 2 === 1) await running.becomes('succeeded');
    const answer = await cancel(other, queued.id);
    if (answer.status === 200) {
      came.canceled += 1;
      await (await Subject.post(app)).succeeds();
      t.match(await queued.read(), { status: 'canceled', task_id: null });
      t.equal(queued.posts().length, 0, 'canceled, and not sent');
    } else {
      came.sent += 1;
      t.equal(answer.status, 409);
      await queued.succeeds();
      t.equal(queued.posts().length, 1, 'sent once, and not canceled');
    }
  }
  t.comment(came);
});
