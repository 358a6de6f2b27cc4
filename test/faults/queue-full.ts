/** A queue at its bounds. */

import type { Test } from 'tap';
import { GOOD } from '../support/requests.js';
import type { StoreName } from './cases.js';
import { startReplicas } from './replicas.js';
import { isPaidOnce, Subject } from './subject.js';

const PLENTY = { maxAvatars: 1_000_000, maxBytes: 1e12 };

/** Case 41: by count, and by bytes. */
export async function fillsQueue(t: Test, store: StoreName): Promise<void> {
  await fills(t, store, 'avatars', 4, { ...PLENTY, maxAvatars: 4 });
  const bytes = Buffer.byteLength(JSON.stringify(GOOD));
  await fills(t, store, 'bytes', 2, { ...PLENTY, maxBytes: 2.5 * bytes });
}

async function fills(
  t: Test,
  store: StoreName,
  bound: string,
  room: number,
  queueBounds: typeof PLENTY,
): Promise<void> {
  const app = await startReplicas(t, store, { limits: { tasks: 1 }, gateway: { queueBounds } });
  const { simulator } = app;
  const running = await Subject.post(app, { body: GOOD });
  t.match(running.answer, { status: 'pending' });
  const key = (at: number) => ({ key: `key-${at}`, body: GOOD });
  const asked = await app.post(3 * room, key);
  const [waiting, refused] = [
    asked.filter(({ status }) => status === 202),
    asked.filter(({ status }) => status !== 202),
  ];
  t.equal(waiting.length, room, `as many ${bound} as there is room for`);
  for (const { status, answer, headers } of refused) {
    t.match(
      [status, answer],
      [429, { type: /:queue-full$/, detail: new RegExp(`as many ${bound} as it may`) }],
    );
    t.match(headers.get('retry-after'), /^[1-9]\d*$/);
  }
  for (const standing of await app.standings()) t.equal(standing.queued, room, 'nothing is half made');

  // The queue drains, and what was refused is as if it had never been asked.
  const queued = await Promise.all(
    waiting.map(async (subject) => ({ subject, avatar: await subject.read() })),
  );
  await isPaidOnce(t, running);
  // Requests that run at once are queued in an order of their own.
  queued.sort((a, b) => (a.avatar.queue?.position ?? 0) - (b.avatar.queue?.position ?? 0));
  for (const { subject } of queued) await isPaidOnce(t, subject);
  t.equal(simulator.calls('submit').length, 1 + room, 'no more was sent');
  for (const standing of await app.standings()) t.equal(standing.queued, 0);
  t.equal(await app.metric('avatar_gateway_queue_bytes'), 0);
  const keys = asked.flatMap(({ status }, at) => (status === 202 ? [] : [at])).slice(0, room);
  for (const at of keys) {
    const [again] = await app.post(1, () => key(at));
    t.match([again?.status, again?.headers.get('idempotent-replayed')], [202, null], 'accepted again');
    if (again !== undefined) await isPaidOnce(t, again);
  }
  t.equal(simulator.ledger().length, 1 + room + keys.length);
}
