/** A store that is away: what a caller is told meanwhile, and what was under way when it went. */

import type { Test } from 'tap';
import { clientOf } from '../store/fixtures-redis.js';
import type { RunningApp } from '../support/app.js';
import { type RedisServerOptions, startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { Subject } from './subject.js';
import { startWorld } from './world.js';

type App = Pick<RunningApp, 'url' | 'simulator'>;

export const DURABLE: RedisServerOptions = { appendonly: true, args: ['--appendfsync', 'always'] };

/** A gateway on a Redis of its own, which a test may ill-treat. */
export async function ownRedis(t: Test, options: RedisServerOptions = DURABLE) {
  const server = await startRedis(t, options);
  const redis = { url: server.url, prefix: 'faults' };
  const app = await startWorld(t, 'redis', { redis });
  return { server, app, client: clientOf(t, server.url) };
}

/** Long enough for an outage to begin meanwhile. */
const PAUSE_S = 4;

/** Alive, not ready, and says so to whoever posts; resolves with what was posted. */
export async function isAway(t: Test, app: App, key?: string): Promise<Subject> {
  t.equal((await fetch(`${app.url}/livez`)).status, 200);
  t.equal((await fetch(`${app.url}/readyz`)).status, 503);
  return isRefused(t, app, key);
}

/** Whoever posts is told that the store takes nothing, and when to try again; resolves with what was posted. */
export async function isRefused(t: Test, app: App, key?: string): Promise<Subject> {
  const subject = await Subject.post(app, key === undefined ? {} : { key });
  t.equal(subject.status, 503);
  t.match(subject.answer, { type: /:store-unavailable$/ });
  t.match(subject.headers.get('retry-after'), /^[1-9]\d*$/);
  return subject;
}

/** One avatar whose submit is answered and whose answer is held back, and one that is due for its submit some seconds later. */
export async function underWay(app: App) {
  const { simulator } = app;
  const answer = simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
  const posted = Subject.post(app);
  await answer.met;
  // Everybody waits then, so it is the last to go.
  const dueAt = Date.now() + PAUSE_S * 1000;
  simulator.inject({ on: 'submit', do: { status: 429, headers: { 'retry-after': String(PAUSE_S) } } });
  const waiting = await Subject.post(app);
  return {
    waiting,
    posted,
    /** Lets the answer come, and the other avatar's time. */
    async goOn() {
      answer.release();
      await until('it is due', async () => Date.now() > dueAt + 1000 || null);
    },
  };
}
