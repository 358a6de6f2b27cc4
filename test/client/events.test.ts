/** Events read by the client, through connections that break. */

import t from 'tap';
import { followEvents } from '../../src/client/events.js';
import { type AvatarEvent, createClient } from '../../src/client/index.js';
import { createTransport } from '../../src/client/transport.js';
import { startApp } from '../support/app.js';
import { createAvatar } from '../support/requests.js';
import { until } from '../support/until.js';
import { type Answer, all, rejection, says, startProxy, startScripted } from './support.js';

const statusOf = (event: AvatarEvent) => (event.type === 'avatar' ? event.avatar.status : event.type);

t.test('of one avatar', async (t) => {
  const { url, simulator } = await startApp(t);
  const proxy = await startProxy(t, url);
  const client = createClient({ baseUrl: proxy.url });

  await t.test('to its end, over a connection that breaks', async (t) => {
    const { id, task_id } = await createAvatar(url);
    const told: AvatarEvent[] = [];
    for await (const event of client.events(id)) {
      told.push(event);
      if (told.length > 1) continue;
      proxy.cut();
      simulator.settle(String(task_id), { end: 'success' });
    }
    const statuses = told.map(statusOf);
    t.match(statuses, ['pending']);
    t.equal(statuses.at(-1), 'succeeded');
    t.equal(new Set(told.map(({ lastEventId }) => lastEventId)).size, told.length, 'nothing is told twice');

    const { lastEventId } = told.at(-1) as AvatarEvent;
    t.strictSame(await all(client.events(id, { lastEventId })), [], 'who knows the end is told nothing');
    t.strictSame((await all(client.events(id))).map(statusOf), ['succeeded']);
    await client.delete(id);
    const gone = all(client.events(id));
    t.match(await rejection(gone), { status: 404, type: 'not-found' });
  });

  await t.test('until nobody reads them', async (t) => {
    const { id } = await createAvatar(url);
    for await (const event of client.events(id)) {
      t.equal(statusOf(event), 'pending');
      break;
    }
    const leave = new AbortController();
    const reason = new Error('enough');
    const reading = (async () => {
      for await (const _ of client.events(id, { signal: leave.signal })) leave.abort(reason);
    })();
    t.equal(await rejection(reading), reason);
    t.equal(await rejection(all(client.events(id, { signal: leave.signal }))), reason);
  });
});

t.test('of all avatars, without a gap', async (t) => {
  const { url } = await startApp(t, { limits: { tasks: 0 } });
  const proxy = await startProxy(t, url);
  const client = createClient({ baseUrl: proxy.url });
  const events = client.events(null)[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value as AvatarEvent;

  const first = next();
  await until('it is open', async () => (/^id: \d+$/m.test(proxy.said()) ? true : null));
  proxy.cut();
  const made = await createAvatar(url);
  t.match(await first, { type: 'avatar', avatar: { id: made.id } }, 'what was made while nobody listened');

  proxy.cut();
  await client.cancel(made.id);
  t.match(await next(), { type: 'avatar', avatar: { id: made.id, status: 'canceled' } });
  await client.delete(made.id);
  t.match(await next(), { type: 'deleted', id: made.id });
  await events.return?.();

  const lost = client.events(null, { lastEventId: 'long ago' })[Symbol.asyncIterator]();
  t.match((await lost.next()).value, { type: 'reset', lastEventId: /^\d+$/ });
  await lost.return?.();
});

t.test('connections', async (t) => {
  const stream =
    (...texts: string[]): Answer =>
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const text of texts) response.write(text);
      response.end();
    };
  await t.test('are made again as told, and pick up what was read in full', async (t) => {
    const server = await startScripted(
      t,
      stream('retry: 10\nid: 5\n\n:\n\n'),
      stream('event: new-kind\nid: 6\ndata: {}\n\nid: 7\nevent: avatar\ndata: {"id"'),
      says(503),
      stream('event: avatar\nid: 7\ndata: {"id":"av_1","sta', 'tus":"queued"}\n\n'),
      says(404, { type: 'urn:avatar-gateway:problem:not-found', title: 'T', detail: 'd' }),
    );
    const events = client(server.url).events('av_1')[Symbol.asyncIterator]();
    t.match((await events.next()).value, { type: 'avatar', lastEventId: '7', avatar: { status: 'queued' } });
    t.match(await rejection(events.next()), { status: 404 });
    t.strictSame(
      server.requests.map(({ headers }) => headers['last-event-id']),
      [undefined, '5', '6', '6', '7'],
    );
  });

  await t.test('that say nothing for long are made again', async (t) => {
    const silent: Answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 10\nid: 5\n\n');
    };
    const { url, requests } = await startScripted(
      t,
      silent,
      stream('event: avatar\nid: 6\ndata: {"status":"failed"}\n\n'),
    );
    const events = { path: '/avatars/av_1/events', isOne: true, maxRetries: 0, silenceMs: 200 };
    t.match(await all(followEvents(createTransport({ baseUrl: url }), events)), [{ lastEventId: '6' }]);
    t.equal(requests[1]?.headers['last-event-id'], '5');
  });

  await t.test('that never were are not tried for ever', async (t) => {
    const server = await startScripted(t, says(503));
    t.match(await rejection(all(client(server.url).events(null))), { status: 503 });
    t.equal(server.requests.length, 2);
  });

  function client(baseUrl: string) {
    return createClient({ baseUrl, maxRetries: 1 });
  }
});
