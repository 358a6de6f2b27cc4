import t, { type Test } from 'tap';
import type { DeliveriesView } from '../../src/http/schemas/deliveries.js';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { type Call, hold, type Receiver, startReceiver, status, verified } from '../support/receiver.js';
import { URLS } from '../support/requests.js';
import { until } from '../support/until.js';
import { type StoreName, showCases } from './cases.js';
import { Subject } from './subject.js';
import { errorsOf, startWorld, type World } from './world.js';

t.setTimeout(600_000);

const DAY = 86_400_000;

interface Calling extends World {
  /** An avatar that has succeeded, whose receiver is told. */
  succeeded(url: string): Promise<Subject>;
  /** What was tried for an avatar, once so much was. */
  deliveries(subject: Subject, count: number): Promise<DeliveriesView>;
  /** Has it be tried again now rather than after its pause. */
  dueNow(subject: Subject): Promise<void>;
}

async function startCalling(t: Test, store: StoreName, timeoutMs = 2_000): Promise<Calling> {
  const app = await startWorld(t, store, {
    callbacks: { timeoutMs, allowedNetworks: parseNetworks('127.0.0.0/8') },
    gateway: { retentionMs: 7 * DAY, taskTimeoutMs: DAY, queueTimeoutMs: DAY },
  });
  return {
    ...app,
    async succeeded(url) {
      const subject = await Subject.post(app, { body: { ...URLS, callback_url: url } });
      await subject.succeeds();
      return subject;
    },
    deliveries: ({ id }, count) =>
      until(`${count} tries for ${id}`, async () => {
        const response = await fetch(`${app.url}/avatars/${id}/deliveries`);
        const view = (await response.json()) as DeliveriesView;
        return view.data.length >= count ? view : null;
      }),
    // The embedded store's clock is put ahead; in Redis the avatar is made due.
    dueNow: ({ id }) => (store === 'embedded' ? app.pass(5 * 3_600_000) : app.lapse(id)),
  };
}

/** All tell of one end, and say so: same name, same body, a signature of their own time. */
function tellTheSame(t: Test, calls: readonly Call[], subject: Subject): void {
  t.equal(new Set(calls.map(({ headers }) => headers['webhook-id'])).size, 1, 'one webhook-id');
  t.equal(new Set(calls.map(({ body }) => body)).size, 1, 'one body');
  const [last] = calls.slice(-1);
  if (last !== undefined) {
    t.match(verified(last), { type: 'avatar.succeeded', data: { id: subject.id, status: 'succeeded' } });
  }
}

await showCases(t, 'receivers', {
  async 42(t, store) {
    const app = await startCalling(t, store, 500);
    const receiver = await startReceiver(t, status(500));
    const subject = await app.succeeded(`${receiver.url}/hook?token=secret`);
    t.match(await app.deliveries(subject, 1), {
      state: 'waiting',
      data: [{ attempt: 1, status: 500, error: 'answered 500' }],
    });
    t.match(await subject.read(), { callback: { state: 'waiting' } });
    receiver.answer = hold;
    await app.dueNow(subject);
    const tried = await app.deliveries(subject, 2);
    t.match(tried.data[1], { attempt: 2, status: null, error: 'no answer within 0.5 s' });
    receiver.answer = (response) => void response.destroy();
    await app.dueNow(subject);
    t.match((await app.deliveries(subject, 3)).data[2], { status: null, error: /closed|reset/ });
    receiver.answer = status(204);
    await app.dueNow(subject);
    const over = await app.deliveries(subject, 4);
    t.match(over, { state: 'delivered', next_attempt_at: null, data: { 3: { status: 204, error: null } } });
    t.match(await subject.read(), { callback: { state: 'delivered' } });
    t.equal(receiver.calls.length, 4);
    tellTheSame(t, receiver.calls, subject);
    t.equal(receiver.calls[0]?.headers['webhook-id'], over.webhook_id);
    const log = app.logLines().join('\n');
    t.match(log, /"receiver":"http:\/\/127\.0\.0\.1:\d+","attempt":1,"status":500/);
    t.notMatch(log, /token|secret/, 'no query string in the log');
    t.same(errorsOf(app), []);
  },

  async 43(t, store) {
    const app = await startCalling(t, store);
    const elsewhere = await startReceiver(t);
    const receiver = await startReceiver(t, status(307, { location: elsewhere.url }));
    const subject = await app.succeeded(receiver.url);
    const redirected = await app.deliveries(subject, 1);
    t.match(redirected, { state: 'waiting', data: [{ status: 307, error: /not followed$/ }] });
    t.ok(redirected.next_attempt_at);
    receiver.answer = status(410);
    await app.dueNow(subject);
    t.match(await app.deliveries(subject, 2), {
      state: 'given_up',
      next_attempt_at: null,
      data: { 1: { status: 410, error: /^answered 410/ } },
    });
    t.match(await subject.read(), { callback: { state: 'given_up' } });
    // Whoever is told next shows that there was every chance to tell this one again.
    if (store === 'embedded') await app.dueNow(subject);
    await app.deliveries(await app.succeeded(elsewhere.url), 1);
    t.same([receiver.calls.length, elsewhere.calls.length], [2, 1]);
  },

  async 44(t, store) {
    const app = await startCalling(t, store);
    for (const [code, header, least, most] of [
      [429, () => '90', 90_000, 91_000],
      [503, () => new Date(Date.now() + 120_000).toUTCString(), 118_000, 122_000],
      [503, () => '1', 4_400, 6_000],
      [503, () => String(10 * 86_400), 6 * 3_600_000, 6 * 3_600_000 + 1_000],
    ] as const) {
      const receiver = await startReceiver(t, status(code, { 'retry-after': header() }));
      const subject = await app.succeeded(receiver.url);
      const { data, next_attempt_at } = await app.deliveries(subject, 1);
      const pause = Date.parse(String(next_attempt_at)) - Date.parse(String(data[0]?.at));
      t.ok(pause >= least && pause <= most + 2_000, `${code}: ${pause} ms`);
    }
    // A pause that can be waited for: longer than the first one of ours.
    const receiver = await startReceiver(t, status(503, { 'retry-after': '7' }));
    const subject = await app.succeeded(receiver.url);
    const { data } = await app.deliveries(subject, 1);
    receiver.answer = status(204);
    const told = await app.deliveries(subject, 2);
    const pause = Date.parse(String(told.data[1]?.at)) - Date.parse(String(data[0]?.at));
    t.ok(pause >= 7_000, `${pause} ms`);
    tellTheSame(t, receiver.calls, subject);
  },

  async 45(t, store) {
    // Were it the time-out that ends it, nothing would have been delivered within the test.
    const app = await startCalling(t, store, 600_000);
    const endless = await startReceiver(t, (response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const pour = () => {
        while (!response.destroyed && response.write('a'.repeat(16_384)));
      };
      response.on('drain', pour);
      pour();
    });
    const stuck = await startReceiver(t, (response) => {
      response.writeHead(200, { 'content-length': '10' }).write('a');
    });
    for (const receiver of [endless, stuck]) {
      const subject = await app.succeeded(receiver.url);
      t.match(await app.deliveries(subject, 1), { state: 'delivered', data: [{ status: 200, error: null }] });
      await until('the connection is cut', async () => receiver.sockets.size === 0 || null);
      t.equal(receiver.calls.length, 1);
    }
    t.same(errorsOf(app), []);
  },

  async 46(t, store) {
    const app = await startCalling(t, store, 600_000);
    const dead = await startReceiver(t, hold);
    const others = await Promise.all(Array.from({ length: 4 }, () => startReceiver(t)));
    await Promise.all(Array.from({ length: 60 }, () => app.succeeded(`${dead.url}/hook`)));
    await dead.call(7);
    const fine = await Promise.all(
      Array.from({ length: 40 }, (_, at) => app.succeeded((others[at % 4] as Receiver).url)),
    );
    for (const subject of fine) {
      t.match(await app.deliveries(subject, 1), { state: 'delivered', data: [{ status: 204 }] });
    }
    t.equal(dead.calls.length, 8, 'the dead one had its share, and has it still');
    t.same(
      others.map(({ calls }) => calls.length),
      [10, 10, 10, 10],
    );
    for (const call of dead.calls) call.response.destroy();
    await dead.call(8);
    dead.answer = status(503);
    for (const call of dead.calls) call.response.destroy();
    await until('it is left alone', async () => {
      const rests = app.logLines().filter((line) => line.includes('the receiver was not told')).length;
      return rests >= 5 || null;
    });
    t.same(errorsOf(app), []);
  },
});
