/** What the end-to-end tests share: a caller, and the settings of a gateway on either store. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { example } from '../../src/http/schemas/examples.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.js';
import { type Running, startGateway } from '../support/processes.js';
import { redisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

export const KEY = 'mx-e2e-key';

type Env = Record<string, string>;

/** A folder of its own that goes when the test does. */
export async function tempDir(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-e2e-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** The stores a gateway can run on, as settings. */
export const STORES: readonly { readonly name: string; readonly settings: (t: Test) => Promise<Env> }[] = [
  { name: 'embedded', settings: async (t) => ({ DATA_DIR: await tempDir(t) }) },
  {
    name: 'redis',
    async settings(t) {
      const { url, prefix } = await redisUrl(t);
      return { REDIS_URL: url, REDIS_KEY_PREFIX: prefix, DATA_DIR: await tempDir(t) };
    },
  },
];

/** A simulator without limits that get in the way, ended with the test. */
export async function simulatorFor(t: Test, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({
    ...options,
    settings: {
      keys: { [KEY]: { team: 'team', valid: true } },
      taskMs: { min: 0, max: 0 },
      concurrency: 1000,
      callsPerMinute: 100_000,
      ...options.settings,
    },
  });
  t.teardown(() => simulator.close());
  return simulator;
}

/** Settings that point a gateway at a simulator and let it look at tasks as often as it may. */
export function settingsFor(simulator: Simulator): Env {
  return {
    MODELLIX_API_KEY: KEY,
    MODELLIX_BASE_URL: simulator.url,
    POLL_MIN_SECONDS: '1',
    POLL_MAX_SECONDS: '1',
    MODELLIX_CALLS_PER_MINUTE: '100000',
    MODELLIX_CONCURRENCY: '1000',
  };
}

/** A gateway that is killed with the test, where it has not ended before. */
export async function gatewayFor(t: Test, env: Env, options?: { preload: string }): Promise<Running> {
  const gateway = await startGateway(env, options);
  t.teardown(async () => void (await gateway.stop('SIGKILL')));
  return gateway;
}

/** Posts the example of the documentation. */
export function postExample(url: string, change: object = {}): Promise<Response> {
  return fetch(`${url}/avatars`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...example, ...change }),
  });
}

export async function create(t: Test, url: string): Promise<AvatarView> {
  const response = await postExample(url);
  const body = await response.text();
  t.equal(response.status, 202, body);
  return JSON.parse(body) as AvatarView;
}

export async function read(url: string, id: string): Promise<AvatarView> {
  const response = await fetch(`${url}/avatars/${id}`);
  const body = await response.text();
  if (response.status !== 200) throw new Error(`GET /avatars/${id} answered ${response.status}: ${body}`);
  return JSON.parse(body) as AvatarView;
}

/** The avatar once nothing more happens to it by itself. */
export function finished(url: string, id: string): Promise<AvatarView> {
  return until(`${id} is final`, async () => {
    const avatar = await read(url, id);
    return avatar.completed_at === null ? null : avatar;
  });
}
