/** Gateways that share a store and a simulator: two on one Redis, or one that is both on the embedded store. */

import type { Test } from 'tap';
import { startSimulator } from '../simulator/simulator.js';
import { type AppOverrides, type RunningApp, startApp } from './app.js';
import { redisUrl } from './redis.js';
import { until } from './until.js';

export const STORES = ['embedded', 'redis'] as const;

/** Tasks end when the test says so. */
const SETTINGS = {
  taskMs: { min: 3_600_000, max: 3_600_000 },
  callsPerMinute: 1_000_000,
  concurrency: 1_000_000,
};

export interface Replicas {
  /** Where things are done. */
  readonly one: RunningApp;
  /** Where they are waited for. */
  readonly other: RunningApp;
}

export async function startReplicas(
  t: Test,
  store: (typeof STORES)[number],
  overrides: AppOverrides = {},
): Promise<Replicas> {
  const simulator = await startSimulator({ settings: SETTINGS });
  t.teardown(() => simulator.close());
  if (store === 'embedded') {
    const one = await startApp(t, { ...overrides, beside: simulator });
    return { one, other: one };
  }
  const redis = await redisUrl(t);
  const [one, other] = await Promise.all([
    startApp(t, { ...overrides, beside: simulator, redis }),
    startApp(t, { ...overrides, beside: simulator, redis }),
  ]);
  await until('both have their connection', async () => {
    const ready = await Promise.all(
      [one, other].map((app) => fetch(`${app.managementUrl ?? app.url}/readyz`)),
    );
    return ready.every(({ ok }) => ok) || null;
  });
  return { one, other };
}

/** Resolves once a gateway has begun with so many requests to a path. */
export async function reached(app: RunningApp, path: string, times = 1): Promise<void> {
  const isIt = (line: string) => line.includes('"incoming request"') && line.includes(`"path":"${path}"`);
  await until(`${times} requests for ${path}`, async () => {
    return app.logLines().filter(isIt).length >= times ? true : null;
  });
}
