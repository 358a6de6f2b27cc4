/** An avatar that is forgotten while its receiver is told: how that went is written over nothing. */

import t from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import type { DeliveriesView } from '../../src/http/schemas/deliveries.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { Subject } from '../faults/subject.js';
import { errorsOf, startWorld } from '../faults/world.js';
import { hold, startReceiver, status } from '../support/receiver.js';
import { URLS } from '../support/requests.js';
import { until } from '../support/until.js';

t.setTimeout(600_000);

// Longer than any test: what ends a try is the receiver.
const callbacks = { timeoutMs: 600_000, allowedNetworks: parseNetworks('127.0.0.0/8') };

/** Once the avatar's record is older than it may become. */
const isOver = ({ expires_at }: AvatarView) =>
  until('its time is over', async () => Date.now() > Date.parse(String(expires_at)) || null);

for (const store of ['embedded', 'redis'] as const) {
  t.test(`${store}: deleted, or expired, while its receiver is told`, async (t) => {
    const app = await startWorld(t, store, { callbacks, gateway: { retentionMs: 3_000 } });
    const receiver = await startReceiver(t, hold);
    const body = { ...URLS, callback_url: receiver.url };
    const isThere = async ({ id }: Subject) => (await fetch(`${app.url}/avatars/${id}`)).status !== 404;
    const untilGone = (subject: Subject) =>
      until(`${subject.id} is forgotten`, async () => !(await isThere(subject)) || null);

    const deleted = await Subject.post(app, { body });
    await deleted.succeeds();
    const first = await receiver.call(0);
    const answer = await fetch(`${app.url}/avatars/${deleted.id}`, { method: 'DELETE' });
    t.equal(answer.status, 204);
    t.notOk(await isThere(deleted));

    const expired = await Subject.post(app, { body });
    const ended = await expired.succeeds();
    const second = await receiver.call(1);
    await isOver(ended);
    // Whoever claims it then finds it expired, though it is still to be told.
    await (store === 'embedded' ? app.pass(3_600_000) : app.lapse(expired.id));
    await untilGone(expired);

    const told = () => app.logLines().filter((line) => line.includes('the receiver was told')).length;
    first.response.writeHead(204).end();
    second.response.writeHead(204).end();
    await until('both are answered', async () => told() === 2 || null);
    const bystander = await Subject.post(app, { body });
    receiver.answer = status(204);
    await bystander.succeeds();
    await receiver.call(2);
    await until('the bystander is written', async () => told() === 3 || null);
    t.same([await isThere(deleted), await isThere(expired)], [false, false], 'neither comes back');
    t.equal(receiver.calls.length, 3);
    t.same(errorsOf(app), []);
  });

  t.test(`${store}: expired before it could be tried again`, async (t) => {
    const app = await startWorld(t, store, { callbacks, gateway: { retentionMs: 7_000 } });
    const receiver = await startReceiver(t, status(500));
    const subject = await Subject.post(app, { body: { ...URLS, callback_url: receiver.url } });
    const ended = await subject.succeeds();
    await receiver.call(0);
    await until('it waits', async () => {
      const response = await fetch(`${app.url}/avatars/${subject.id}/deliveries`);
      const { state, data } = (await response.json()) as DeliveriesView;
      return (state === 'waiting' && data.length === 1) || null;
    });
    await app.close();
    await isOver(ended);
    const next = await app.restart();
    await until('it is forgotten', async () => {
      return (await fetch(`${next.url}/avatars/${subject.id}`)).status === 404 || null;
    });
    t.equal(receiver.calls.length, 1, 'and not tried again before');
    t.same(errorsOf(next), []);
  });
}
