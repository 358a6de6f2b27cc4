/** Waiting for the end, whatever becomes of the gateway meanwhile. */

import t from 'tap';
import { type Avatar, createClient, type WaitTimeoutError } from '../../src/client/index.js';
import { startSimulator } from '../simulator/simulator.js';
import { startApp } from '../support/app.js';
import { createAvatar, URLS } from '../support/requests.js';
import { until } from '../support/until.js';
import { type Answer, hangs, rejection, says, startProxy, startScripted } from './support.js';

const SETTINGS = { taskMs: { min: 3_600_000, max: 3_600_000 } };
/** Rarely: a poll that is under way when the gateway ends is made again only when its lease is over. */
const POLLING = { pollMinMs: 1_500, pollMaxMs: 1_500 };

t.test('across a restart of the gateway', async (t) => {
  const simulator = await startSimulator({ settings: SETTINGS });
  t.teardown(() => simulator.close());
  const dataDir = t.testdir();
  const first = await startApp(t, { dataDir, beside: simulator, gateway: POLLING });
  const proxy = await startProxy(t, first.url);
  const client = createClient({ baseUrl: proxy.url });
  const { id, task_id } = await client.create(URLS);

  const seen: string[] = [];
  const waiting = client.wait(id, { onChange: ({ status }) => seen.push(status) });
  await until('it was seen', async () => (seen.length > 0 ? true : null));
  await first.close();
  proxy.cut();
  const before = proxy.connections();
  await until('it was tried in vain', async () => (proxy.connections() > before ? true : null));
  const second = await startApp(t, { dataDir, beside: simulator, gateway: POLLING });
  proxy.target = second.url;
  simulator.settle(String(task_id), { end: 'success' });

  t.match(await waiting, { id, status: 'succeeded', video: { format: 'mp4' } });
  t.equal(seen.at(-1), 'succeeded');
  t.equal(simulator.ledger().length, 1);
});

t.test('the end', async (t) => {
  const { url, simulator } = await startApp(t);
  const client = createClient({ baseUrl: url });

  await t.test('may be a failure', async (t) => {
    const { id, task_id } = await client.create(URLS);
    const waiting = client.wait(id);
    simulator.settle(String(task_id), { end: 'failed' });
    t.match(await waiting, { id, status: 'failed', error: { type: /:task-failed$/ } });
    t.match(await client.wait(id), { status: 'failed' }, 'at once where it is there');
  });

  await t.test('does not come in time', async (t) => {
    const { id } = await client.create(URLS);
    const error = (await rejection(client.wait(id, { timeoutMs: 3_000 }))) as WaitTimeoutError;
    t.match(error, { name: 'WaitTimeoutError', avatar: { id } });
    t.match(error.message, new RegExp(`^The avatar ${id} is \\w+ after 3000 ms$`));
  });

  await t.test('is no longer wanted', async (t) => {
    const { id } = await client.create(URLS);
    const reason = new Error('enough');
    const leave = new AbortController();
    const waiting = rejection(client.wait(id, { signal: leave.signal, onChange: () => leave.abort(reason) }));
    t.equal(await waiting, reason);
    t.equal(await rejection(client.wait(id, { signal: leave.signal })), reason, 'nor begun');
  });

  await t.test('of what is not there', async (t) => {
    t.match(await rejection(client.wait('av_none')), { status: 404, type: 'not-found' });
    const { id } = await createAvatar(url);
    const fault = new Error('in onChange');
    const onChange = () => {
      throw fault;
    };
    t.equal(await rejection(client.wait(id, { onChange })), fault, 'what its caller does wrong is no outage');
  });
});

t.test('a gateway that is away', async (t) => {
  const away = await startScripted(t, says(503, {}, { 'retry-after': '3600' }));
  const client = createClient({ baseUrl: away.url, maxRetries: 0 });
  t.match(await rejection(client.wait('av_1')), { status: 503 }, 'is not waited for without an end');
  t.match(
    await rejection(client.wait('av_1', { timeoutMs: 2_000 })),
    {
      name: 'WaitTimeoutError',
      message: 'The avatar av_1 was not seen after 2000 ms',
      cause: { status: 503 },
    },
    'but as long as it was said',
  );

  const silent = await startScripted(t, hangs);
  const waiting = createClient({ baseUrl: silent.url }).wait('av_1', { timeoutMs: 200 });
  t.match(await rejection(waiting), { name: 'WaitTimeoutError', avatar: null });
});

t.test('one that does not wait is not asked at once again', async (t) => {
  const asked = async (headers: Record<string, string>) => {
    const server = await startScripted(t, says(200, { id: 'av_1', status: 'queued' }, headers));
    const leave = new AbortController();
    const waiting = createClient({ baseUrl: server.url }).wait('av_1', {
      signal: leave.signal,
      // By then as many would have come as can, one upon the other.
      onChange: () => setTimeout(() => leave.abort(), 2_000),
    });
    await rejection(waiting);
    return server.requests.map(({ headers }) => [headers.prefer, headers['if-none-match']]);
  };
  const first = [undefined, undefined];
  t.strictSame(await asked({ etag: 'W/"1"' }), [first, ['wait=30', 'W/"1"']], 'it has no room for who waits');
  t.strictSame(await asked({}), [first], 'a proxy took the ETag away');
});

t.test('the place in the queue is looked up anew', async (t) => {
  const at = (position: number) =>
    says(200, { id: 'av_1', status: 'queued', queue: { position } }, { etag: 'W/"1"' });
  const end = says(
    200,
    { id: 'av_1', status: 'canceled' },
    { etag: 'W/"2"', 'preference-applied': 'wait=30' },
  );
  const same: Answer = (response) =>
    void response.writeHead(304, { etag: 'W/"1"', 'preference-applied': 'wait=30' }).end();
  const server = await startScripted(t, at(5), same, at(2), end);
  const places: unknown[] = [];
  const onChange = ({ queue }: Avatar) => places.push(queue?.position);
  t.match(await createClient({ baseUrl: server.url }).wait('av_1', { onChange }), { status: 'canceled' });
  t.strictSame(places, [5, 2, undefined]);
});
