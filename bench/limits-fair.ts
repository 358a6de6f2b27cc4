/** How long the first avatar of a caller waits who joins while another one has hundreds in the queue. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANONYMOUS } from '../src/domain/caller.js';
import type { Answer } from '../src/gateway/answer.js';
import { createGateway, type Gateway } from '../src/gateway/gateway.js';
import { Memory } from '../src/gateway/intake/memory.js';
import { createModellixClient } from '../src/modellix/client.js';
import { KeyPool } from '../src/modellix/keyring.js';
import { openRedisStore } from '../src/store/redis/redis.js';
import { openSpool } from '../src/store/spool.js';
import { type Simulator, SUBMIT_PATHS, startSimulator } from '../test/simulator/simulator.js';
import { startRedis } from '../test/support/redis.js';
import { distribution } from './limits-share.js';

export interface Fairness {
  readonly held: number;
  readonly joined: number;
  /** Submits of others after a caller had joined and before its own. */
  readonly mostAhead: number;
  readonly meanAhead: number;
  readonly waitMeanMs: number;
  readonly waitMaxMs: number;
  /** From a submit to the next one, whoever's: how often a slot becomes free. */
  readonly gapMeanMs: number;
  readonly gapMaxMs: number;
  readonly taskMs: { readonly min: number; readonly max: number };
}

const KEY = 'bench-key';
const GATEWAYS = 2;
const TASK_MS = { min: 8_000, max: 16_000 };

export async function fairness(held: number, callers: number): Promise<Fairness> {
  const endings: (() => unknown)[] = [];
  const teardown = (end: () => unknown) => void endings.unshift(end);
  try {
    const settings = {
      keys: { [KEY]: { team: 'team', valid: true } },
      teams: { team: { balance: 1e9 } },
      taskMs: TASK_MS,
    };
    const simulator = await startSimulator({ settings });
    teardown(() => simulator.close());
    const { url } = await startRedis({ teardown });
    const gateways: Gateway[] = [];
    while (gateways.length < GATEWAYS) gateways.push(await open(url, simulator.url, teardown));
    return await watch(simulator, gateways, held, callers);
  } finally {
    for (const end of endings) await end();
  }
}

async function watch(simulator: Simulator, gateways: Gateway[], held: number, callers: number) {
  const request = (caller: string, name: string) => ({
    caller: { ...ANONYMOUS, name: caller },
    idempotencyKey: null,
    image: { kind: 'url' as const, url: 'https://example.com/face.jpg' },
    speech: { audioId: 'audio-1' },
    prompt: name,
    mode: 'std' as const,
    externalId: null,
    metadata: {},
    traceparent: null,
    startWithinMs: null,
    callbackUrl: null,
    memory: { holder: caller, resize: () => true, retain: () => () => undefined },
  });
  const gateway = (n: number) => gateways[n % gateways.length] as Gateway;
  await Promise.all(
    Array.from({ length: held }, (_, n) => gateway(n).create(request('greedy', `greedy ${n}`))),
  );
  const ahead: number[] = [];
  const waits: number[] = [];
  const first = simulator.ledger().length;
  for (let n = 0; n < callers; n++) {
    // Whenever the last one was served is any moment of the tasks that are under way.
    const name = `caller ${n}`;
    const asked = Date.now();
    await gateway(n).create(request(name, name));
    const before = simulator.ledger().length;
    const of = () => simulator.ledger().findIndex(({ prompt }) => prompt === name);
    while (of() < 0) await simulator.nextTask();
    ahead.push(Math.max(0, of() - before));
    waits.push((simulator.ledger()[of()]?.at ?? 0) - asked);
  }
  const submits = simulator.ledger().slice(first);
  const gaps = submits.slice(1).map(({ at }, i) => at - (submits[i]?.at ?? 0));
  const [wait, gap] = [distribution(waits), distribution(gaps)];
  return {
    held,
    joined: callers,
    mostAhead: Math.max(...ahead),
    meanAhead: distribution(ahead).mean,
    waitMeanMs: wait.mean,
    waitMaxMs: wait.max,
    gapMeanMs: gap.mean,
    gapMaxMs: gap.max,
    taskMs: TASK_MS,
  };
}

async function open(redisUrl: string, baseUrl: string, teardown: (end: () => unknown) => void) {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-fair-'));
  teardown(() => rm(dir, { recursive: true, force: true }));
  const store = openRedisStore({ url: redisUrl });
  teardown(() => store.close());
  const modellix = createModellixClient({
    baseUrl,
    tasksPath: '/api/v1/tasks',
    userAgent: 'avatar-gateway/bench',
    connectTimeoutMs: 5_000,
    submitTimeoutMs: 30_000,
    queryTimeoutMs: 30_000,
    videoTimeoutMs: 30_000,
    connectToVideos: () => undefined, // Nobody asks for one.
    longPollMs: 0,
  });
  teardown(() => modellix.close());
  const silent = () => undefined;
  const unasked = () => Promise.reject(new Error('only URLs are sent'));
  const gateway = createGateway({
    pushUrl: null,
    store,
    reads: store,
    spool: await openSpool<Answer>(join(dir, 'answers')),
    modellix,
    keyring: new KeyPool([KEY]),
    ceiling: { callsPerMinute: 100, tasks: 3 },
    submitPaths: SUBMIT_PATHS,
    inspector: { image: unasked, sound: unasked },
    urls: null,
    videos: null,
    callbacks: { refusal: async () => null, send: unasked },
    callers: null,
    render: () => ({}),
    renderTask: () => ({}),
    memory: new Memory(Number.POSITIVE_INFINITY),
    timing: { pollMinMs: 1_000, pollMaxMs: 15_000, longPollMs: 0 },
    log: { info: silent, warn: silent, error: silent },
    counts: {
      submit: silent,
      ended: silent,
      delivery: silent,
      keeping: silent,
      unfamiliarStatus: silent,
      push: silent,
      callerLimit: silent,
      spendWarning: silent,
      priceMoved: silent,
    },
    random: Math.random,
    settings: {
      submitGraceMs: 10_000,
      submitLeaseMs: 100_000,
      stepLeaseMs: 60_000,
      commonLeaseMs: 60_000,
      keepTryMs: 60_000,
      keepLeaseMs: 60_000,
      queueTimeoutMs: 86_400_000,
      queueBounds: { maxAvatars: 10_000, maxBytes: 1e9 },
      unconfirmedHoldMs: 600_000,
      taskTimeoutMs: 3_600_000,
      retentionMs: 86_400_000,
      notMadeOn: new Set([429]),
      urlsMustAnswer: false,
      webhookSecrets: [],
      prices: { std: 0.0448, pro: 0.0896 },
    },
  });
  await store.ping().catch(() => undefined);
  while (!(await gateway.ready().then(() => true, silent))) await new Promise((go) => setTimeout(go, 20));
  gateway.start();
  teardown(async () => {
    gateway.stop();
    await gateway.drained();
  });
  return gateway;
}
