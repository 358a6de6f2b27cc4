/** Gateways as processes of their own on one Redis, beside a simulator with the vendor's limits, under a burst. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { example } from '../src/http/schemas/examples.js';
import { type Over, type Simulator, startSimulator } from '../test/simulator/simulator.js';
import { spawnScript } from '../test/storm/process.js';
import { send } from '../test/storm/send.js';
import { startRedis } from '../test/support/redis.js';
import type { TaskSpan, Window } from './limits-share.js';

export interface Scene {
  readonly replicas: number;
  readonly medianMs: number;
  readonly sigma: number;
  readonly burst: number;
  readonly minutes: number;
}

export interface Seen {
  readonly scene: Scene;
  readonly slots: number;
  /** From the first request to the end, or to when the queue was empty. */
  readonly window: Window;
  readonly tasks: readonly TaskSpan[];
  readonly over: Over;
  readonly polls: number;
  /** How long the burst took to be accepted. */
  readonly acceptedInMs: number;
  readonly stillQueued: number;
}

const KEY = 'bench-key';
/** Requests under way at the same time. */
const AT_ONCE = 25;

/** @param script the gateway's, as `buildGateway` made it */
export async function run(scene: Scene, script: string): Promise<Seen> {
  const endings: (() => unknown)[] = [];
  const teardown = (end: () => unknown) => void endings.unshift(end);
  try {
    const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-limits-'));
    teardown(() => rm(dir, { recursive: true, force: true }));
    const simulator = await startSimulator({
      seed: scene.replicas + scene.medianMs,
      settings: {
        keys: { [KEY]: { team: 'team', valid: true } },
        teams: { team: { balance: 1e9 } },
        taskMedianMs: { std: scene.medianMs, pro: scene.medianMs },
        taskSigma: scene.sigma,
      },
    });
    teardown(() => simulator.close());
    const redis = await startRedis({ teardown }, { appendonly: true });
    const urls: string[] = [];
    for (let n = 1; n <= scene.replicas; n++) {
      const gateway = await spawnScript({
        args: [script],
        env: {
          PORT: '0',
          MODELLIX_API_KEY: KEY,
          MODELLIX_BASE_URL: simulator.url,
          REDIS_URL: redis.url,
          DATA_DIR: join(dir, `gateway-${n}`),
          RATE_LIMIT_PER_MINUTE: '1000000',
        },
        logFile: join(dir, `gateway-${n}.log`),
        urlIn: (line) => /"msg":"Server listening at (http:[^"]+)"/.exec(line)?.[1],
      });
      teardown(() => gateway.stop('SIGKILL'));
      urls.push(gateway.url);
    }
    return await watch(scene, simulator, urls);
  } finally {
    for (const end of endings) await end();
  }
}

async function watch(scene: Scene, simulator: Simulator, urls: readonly string[]): Promise<Seen> {
  const from = Date.now();
  await burst(scene.burst, urls);
  const acceptedInMs = Date.now() - from;
  const until = from + scene.minutes * 60_000;
  while (Date.now() < until && simulator.ledger().length < scene.burst) await sleep(500);
  const submits = simulator.ledger();
  const emptied = submits.length === scene.burst ? submits.at(-1)?.at : undefined;
  const ready = await send(`${urls[0]}/readyz`);
  return {
    scene,
    slots: simulator.settings().concurrency,
    window: { from, to: emptied ?? Date.now() },
    tasks: tasksOf(simulator),
    over: simulator.over(),
    polls: simulator.calls('query').length,
    acceptedInMs,
    stillQueued: (ready.body as { queued: number }).queued,
  };
}

async function burst(count: number, urls: readonly string[]): Promise<void> {
  let sent = 0;
  const sender = async (): Promise<void> => {
    while (sent < count) {
      const body = JSON.stringify({ ...example, prompt: `Avatar ${sent}`, mode: 'std' });
      const url = `${urls[sent++ % urls.length]}/avatars`;
      const headers = { 'content-type': 'application/json' };
      const { status } = await send(url, { method: 'POST', headers, body, timeoutMs: 60_000 });
      if (status !== 202) throw new Error(`a request was answered with ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
}

/** A task is looked at until it is seen finished, so it was seen by the last poll, if that one was after its end. */
function tasksOf(simulator: Simulator): TaskSpan[] {
  const lastLooks = new Map(simulator.calls('query').map((call) => [call.taskId, call]));
  return simulator.tasks().map(({ id, submittedAt, durationMs }) => {
    const endsAt = submittedAt + durationMs;
    const endedAt = lastLooks.get(id)?.endedAt ?? 0;
    return { submittedAt, endsAt, seenAt: endedAt >= endsAt ? endedAt : null };
  });
}
