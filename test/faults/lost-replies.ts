import type { Test } from 'tap';
import { clientOf } from '../store/fixtures-redis.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { DURABLE } from './outage.js';
import { isPaidOnce, passes, Subject } from './subject.js';
import { FINAL, INTENT, inStatus, MADE, wayTo } from './way.js';
import { isReady, startWorld } from './world.js';

/** A Redis whose connection is cut around each write of a submit: before it is done, or before that is known. */
export async function losesReplies(t: Test): Promise<void> {
  const server = await startRedis(t, DURABLE);
  const way = await wayTo(t, server.port);
  const client = clientOf(t, server.url);
  const app = await startWorld(t, 'redis', { redis: { url: way.url, prefix: 'faults' } });
  await passes(app); // With every script in Redis, each command is one.
  const isSentOnce = async (subject: Subject) => {
    await isPaidOnce(t, subject);
    t.equal(subject.posts().length, 1);
  };
  /** An avatar whose command in this status meets the break. */
  const broken = async (text: string, which: 'request' | 'reply') => {
    const met = way.break(text, 'cut', which);
    const subject = await Subject.post(app);
    await met;
    await isReady(app);
    return subject;
  };
  await isSentOnce(await broken(inStatus('pending'), 'reply'));
  await isSentOnce(await broken(inStatus('pending'), 'request'));

  const ending = await Subject.post(app);
  const met = way.break(FINAL, 'cut', 'reply');
  await isSentOnce(ending);
  await met;

  // The beginning of one that waited.
  for (const which of ['reply', 'request'] as const) {
    app.simulator.inject({ on: 'submit', do: { status: 429, headers: { 'retry-after': '2' } } });
    const waiting = await Subject.post(app);
    await way.break(INTENT, 'cut', which);
    await isReady(app);
    await isPaidOnce(t, waiting);
    t.equal(waiting.posts().length, 2, 'one was refused');
  }

  // The making: whoever asks again with the key finds what was made, or has it made.
  for (const which of ['reply', 'request'] as const) {
    const made = way.break(MADE, 'cut', which);
    t.equal((await Subject.post(app, { key: `${which}-lost` })).status, 503);
    await made;
    await isReady(app);
    const again = await Subject.post(app, { key: `${which}-lost` });
    t.equal(again.headers.get('idempotent-replayed'), which === 'reply' ? 'true' : null);
    await again.becomes('pending', 'processing');
    await again.succeeds();
  }

  // Without a key it is taken back, since its caller was told that nothing was made.
  const unmade = way.break(MADE, 'cut', 'reply');
  const refused = await Subject.post(app);
  t.equal(refused.status, 503);
  await unmade;
  const records = async () => (await client.keys('*:avatar:*')).length;
  await until('it is taken back', async () => (await records()) === 8 || null);
  await passes(app);
  t.same(refused.posts(), []);

  t.equal(app.simulator.ledger().length, 9, 'a task each, and two bystanders');
  t.equal(app.simulator.calls('submit').length, 11, 'and two that were refused');
}
