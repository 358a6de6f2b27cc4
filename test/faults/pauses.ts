/** What Modellix says of how long to wait, told to one replica and kept to by all. */

import type { Test } from 'tap';
import { until } from '../support/until.js';
import type { StoreName } from './cases.js';
import { type Replicas, startReplicas } from './replicas.js';
import { isPaidOnce, Subject } from './subject.js';

type Headers = Record<string, string>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const resetAt = (seconds: number): Headers => ({
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset': String(seconds),
});

/** Resolves when a submit was refused and every replica can know: the avatar is queued again after that was noted. */
export function isNoted(subject: Subject): Promise<true> {
  return until('the refusal is noted', async () => {
    const isAnswered = subject.posts().some(({ endedAt }) => endedAt !== null);
    return (isAnswered && (await subject.read()).status !== 'submitting') || null;
  });
}

/** A submit that one replica is refused, and one more at each; resolves with the time at which it was refused. */
async function refused(t: Test, app: Replicas, headers: Headers) {
  app.simulator.inject({ on: 'submit', do: { status: 429, headers } });
  const before = app.simulator.calls().length;
  const first = await Subject.post(app);
  await isNoted(first);
  const others = await app.post(app.all.length);
  for (const { status, answer } of [first, ...others]) t.match([status, answer], [202, { error: null }]);
  for (const subject of [first, ...others]) await isPaidOnce(t, subject);
  const [refusal, next] = app.simulator.calls().slice(before);
  t.equal(refusal?.status, 429);
  t.same(
    [first, ...others].map((subject) => subject.posts().length),
    [2, ...others.map(() => 1)],
  );
  return { at: refusal?.at ?? 0, waitedMs: (next?.at ?? 0) - (refusal?.at ?? 0), nextAt: next?.at ?? 0 };
}

/** Case 5. */
export async function waitsAsTold(t: Test, store: StoreName): Promise<void> {
  const app = await startReplicas(t, store);
  const told = await refused(t, app, { 'retry-after': '2' });
  t.ok(told.waitedMs >= 2000, `all wait 2 s as told, and waited ${told.waitedMs} ms`);
  const seconds = Math.ceil(Date.now() / 1000) + 2;
  const reset = await refused(t, app, resetAt(seconds));
  t.ok(reset.nextAt >= seconds * 1000, `none goes on before the reset: ${seconds * 1000 - reset.nextAt} ms`);
  const untold = await refused(t, app, {});
  t.ok(untold.waitedMs >= 1000, `told nothing, they waited ${untold.waitedMs} ms`);
}

/** Case 11. */
export async function clampsResets(t: Test, store: StoreName): Promise<void> {
  const app = await startReplicas(t, store, { gateway: { taskTimeoutMs: HOUR, queueTimeoutMs: HOUR } });
  const running = await Subject.post(app);
  const pauses: readonly (readonly [Headers, longestMs: number])[] = [
    [resetAt(9_999_999_999), 10 * MINUTE],
    [{ 'retry-after': '4000000000' }, 10 * MINUTE],
  ];
  for (const [headers, longestMs] of pauses) {
    const poll = app.simulator.inject({ on: 'query', do: { status: 429, headers } });
    await poll.met;
    const keys = await until('every replica knows', async () => {
      const all = (await app.standings()).map(({ keys: [key] }) => key);
      return all.every((key) => key?.state === 'paused') ? all : null;
    });
    for (const key of keys) {
      const leftMs = Date.parse(String(key?.until)) - Date.now();
      t.ok(leftMs > MINUTE / 2 && leftMs <= longestMs + 1000, `it ends in ${leftMs} ms`);
    }
    const calls = app.simulator.calls().length;
    const waiting = await app.post(app.all.length);
    for (const { answer } of waiting) t.match(answer, { status: 'queued' });
    t.equal(app.simulator.calls().length, calls, 'no call of any kind, by any replica');
    t.match(await running.read(), { status: /pending|processing/, error: null });
    await app.pass(longestMs);
    for (const subject of waiting) await isPaidOnce(t, subject);
  }
  await isPaidOnce(t, running);

  for (const headers of [resetAt(1), { 'retry-after': '0' }]) {
    const { waitedMs } = await refused(t, app, headers);
    t.ok(waitedMs >= 1000, `a time that is over is no leave to go on at once: ${waitedMs} ms`);
  }
  const again = await Subject.post(app);
  app.simulator.inject({ on: 'query', times: 2, do: { status: 429, headers: resetAt(1) } });
  await isPaidOnce(t, again);
}
