/** Avatars in pages, and what else can be done with them. */

import t from 'tap';
import { createClient } from '../../src/client/index.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { startApp } from '../support/app.js';
import { CALLBACK_NETWORKS, startReceiver } from '../support/receiver.js';
import { URLS } from '../support/requests.js';
import { all, rejection } from './support.js';

t.test('a list', async (t) => {
  // Each waits in the queue: none is let through.
  const { url } = await startApp(t, { limits: { tasks: 0 } });
  const client = createClient({ baseUrl: url });
  const made: string[] = [];
  for (let at = 0; at < 5; at++) {
    const { id } = await client.create({ ...URLS, external_id: at % 2 === 0 ? 'even & ü' : 'odd' });
    made.unshift(id);
  }
  const ids = (avatars: readonly { readonly id: string }[]) => avatars.map(({ id }) => id);

  await t.test('over all its pages, which are fetched as they are needed', async (t) => {
    let pages = 0;
    const options = { onResponse: () => (pages += 1) };
    t.strictSame(ids(await all(client.list({ limit: 2 }, options))), made);
    t.equal(pages, 3);
    for await (const { id } of client.list({ limit: 2 }, options)) {
      t.equal(id, made[0]);
      break;
    }
    t.equal(pages, 4);
    t.strictSame(ids(await all(client.list())), made);
  });

  await t.test('page by page', async (t) => {
    const first = await client.page({ limit: 3 });
    t.strictSame(ids(first.data), made.slice(0, 3));
    const second = await client.page({ limit: 3, cursor: String(first.next_cursor) });
    t.strictSame(ids(second.data), made.slice(3));
    t.match(second, { next_cursor: null, has_more: false });
  });

  await t.test('with filters', async (t) => {
    t.equal((await client.cancel(made[0] ?? '')).status, 'canceled');
    t.match(await client.cancel(made[0] ?? ''), { status: 'canceled' }, 'asked again');
    t.strictSame(ids(await all(client.list({ status: 'canceled' }))), made.slice(0, 1));
    t.equal((await all(client.list({ status: ['canceled', 'queued'] }))).length, 5);
    t.equal((await all(client.list({ external_id: 'even & ü', limit: 2 }))).length, 3);
    const { created_at } = await client.get(made[4] ?? '');
    const later = client.list({ created_after: new Date(created_at) });
    t.notOk(ids(await all(later)).includes(made[4] ?? ''));
    t.strictSame(await all(client.list({ created_before: created_at })), []);
    t.match(await rejection(client.page({ limit: 101 })), {
      status: 400,
      type: 'invalid-query',
      problem: { errors: [{ pointer: 'limit' }] },
    });
  });

  await t.test('until it is not wanted', async (t) => {
    const leave = new AbortController();
    const reading = (async () => {
      for await (const _ of client.list({ limit: 1 }, { signal: leave.signal })) leave.abort();
    })();
    t.match(await rejection(reading), { name: 'AbortError' });
  });

  await t.test('less what was deleted', async (t) => {
    t.equal(await client.delete(made[0] ?? ''), undefined);
    t.match(await rejection(client.get(made[0] ?? '')), { type: 'not-found' });
    t.match(await rejection(client.delete(made[1] ?? '')), { status: 409, type: 'not-final' });
    t.strictSame(ids(await all(client.list())), made.slice(1));
  });
});

t.test('callbacks', async (t) => {
  const app = await startApp(t, { callbacks: { allowedNetworks: parseNetworks(CALLBACK_NETWORKS) } });
  const client = createClient({ baseUrl: app.url });
  const receiver = await startReceiver(t);
  const { id, task_id } = await client.create({ ...URLS, callback_url: receiver.url });
  app.simulator.settle(String(task_id), { end: 'success' });
  await receiver.call(0);
  t.match(await client.redeliver(id), { id, callback: { url: receiver.url } });
  await receiver.call(1);
  t.match(await client.deliveries(id), { url: receiver.url, webhook_id: new RegExp(`^${id}_`) });
  const { id: other } = await client.create(URLS);
  t.match(await rejection(client.redeliver(other)), { status: 409, type: 'no-callback' });
});

t.test('a doubt is ended', async (t) => {
  const { url, simulator } = await startApp(t);
  const client = createClient({ baseUrl: url });
  simulator.inject({ on: 'submit', when: 'after', do: { reset: 'head' } });
  const { id, status } = await client.create(URLS);
  t.equal(status, 'unconfirmed');
  const task_id = String(simulator.ledger()[0]?.taskId);
  t.match(await client.resolve(id, { task_id }), { status: 'pending', task_id });
  t.match(await rejection(client.resolve(id, { made: false })), { status: 409, type: 'not-unconfirmed' });
});
