/** The parts of one gateway on a real store, beside an upstream in the hands of the test, and what was asked of both. */

import { join } from 'node:path';
import type { Test } from 'tap';
import { ANONYMOUS } from '../../src/domain/caller.js';
import { accept, type Created } from '../../src/gateway/accept.js';
import type { Answer } from '../../src/gateway/answer.js';
import { Memory } from '../../src/gateway/intake/memory.js';
import type { AvatarRequest } from '../../src/gateway/intake/request.js';
import { Limits } from '../../src/gateway/limits/limits.js';
import { Timing } from '../../src/gateway/limits/timing.js';
import { OriginGate, RECEIVER_ROOM, VIDEO_ROOM } from '../../src/gateway/origin-gate.js';
import type { Ports } from '../../src/gateway/ports.js';
import { SentSubmits } from '../../src/gateway/sent.js';
import { Bills } from '../../src/gateway/spend/bills.js';
import { VideoLinks } from '../../src/gateway/video/links.js';
import { Renewals } from '../../src/gateway/video/renewals.js';
import { Worker } from '../../src/gateway/worker.js';
import type { ModellixClient } from '../../src/modellix/client.js';
import { KeyPool } from '../../src/modellix/keyring.js';
import { NO_LIMITS, type SubmitOutcome } from '../../src/modellix/outcome.js';
import { openRedisStore } from '../../src/store/redis/redis.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { redisUrl } from '../support/redis.js';
import { until } from '../support/until.js';
import { COUNTS, SETTINGS } from './world.js';

export const STORES: Readonly<Record<string, (t: Test) => Promise<Store>>> = {
  embedded: (t) => openSqliteStore({ dir: join(t.testdir({}), 'tasks') }),
  redis: async (t) => {
    const { url, prefix } = await redisUrl(t);
    const waitFor = { replicas: 0, ownFile: false };
    const store = openRedisStore({ url, keyPrefix: prefix, waitFor, onEvent() {} });
    await until('it is connected', () =>
      store.ping().then(
        () => true,
        () => null,
      ),
    );
    return store;
  },
};

/** A submission as it is stored. */
export const SENT = {
  image: { url: 'https://example.com/face.jpg' },
  audio: { audioId: 'audio-1' },
  prompt: 'paid',
  mode: 'std',
} as const;

export interface Options {
  readonly tasks?: number;
  /** What becomes of a call to the store; unset, or where it returns nothing: it is made. */
  readonly meddle?: (name: string, call: () => Promise<unknown>) => Promise<unknown> | undefined;
  readonly submit?: (prompt: string) => Promise<SubmitOutcome> | SubmitOutcome;
  readonly change?: Partial<Ports>;
}

/** @param store is closed with the test */
export function gatewayOn(t: Test, store: Store, options: Options = {}) {
  const {
    tasks = 1_000,
    meddle,
    change,
    submit = (prompt) => ({ kind: 'accepted', taskId: prompt }),
  } = options;
  /** What was asked of the store, and of Modellix, in this order. */
  const asked: string[] = [];
  /** Where Modellix was told to push. */
  const webhookUrls: (string | null | undefined)[] = [];
  const stop = new AbortController();
  const spooled = new Map<string, Answer>();
  const silent = () => undefined;
  const watched = new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function' || name === 'onChange' || name === 'health')
        return typeof method === 'function' ? method.bind(target) : method;
      return (...args: unknown[]) => {
        asked.push(String(name));
        const call = async () => (await Reflect.apply(method, target, args)) as unknown;
        return meddle?.(String(name), call) ?? call();
      };
    },
  });
  const unasked = () => Promise.reject(new Error('it is not to be asked'));
  const modellix: ModellixClient = {
    async submit(_key, { prompt }, { webhookUrl }) {
      asked.push('POST');
      webhookUrls.push(webhookUrl);
      return { outcome: await submit(String(prompt)), limits: NO_LIMITS };
    },
    query: async () => ({ outcome: { kind: 'unfinished', status: 'processing' }, limits: NO_LIMITS }),
    probe: unasked,
    balance: unasked,
    video: unasked,
    close: async () => undefined,
  };
  const ports: Ports = {
    store: watched,
    keyring: new KeyPool(['key']),
    limits: new Limits(watched, { callsPerMinute: 1e6, tasks }, () => 0, ['/submit']),
    timing: new Timing(
      watched,
      { pollMinMs: 60_000, pollMaxMs: 60_000, longPollMs: 0, netMs: null },
      () => 0,
    ),
    sent: new SentSubmits(),
    pushTokens: null,
    inspector: { image: unasked, sound: unasked },
    urls: null,
    videos: null,
    callbacks: { refusal: async () => null, send: unasked },
    callers: null,
    receiverOrigins: new OriginGate(() => 0, stop.signal, RECEIVER_ROOM),
    videoOrigins: new OriginGate(() => 0, stop.signal, VIDEO_ROOM),
    renewals: new Renewals(),
    bills: new Bills(),
    render: () => ({}),
    renderTask: () => ({}),
    videoLinks: new VideoLinks(store),
    memory: new Memory(1e9),
    watched: new Set(),
    spool: {
      put: async (name, answer) => void spooled.set(name, answer),
      remove: async (name) => void spooled.delete(name),
      all: async () => [...spooled.values()],
    },
    modellix,
    settings: { ...SETTINGS, submitGraceMs: 10_000 },
    log: { info: silent, warn: silent, error: silent },
    counts: COUNTS,
    random: () => 0,
    stopping: stop.signal,
    ...change,
  };
  const worker = new Worker(ports);
  t.teardown(async () => {
    stop.abort();
    await worker.close();
    await store.close();
  });
  return {
    ports,
    worker,
    asked,
    webhookUrls,
    spooled,
    stop,
    /** Creates an avatar. @param prompt names it, and its task */
    create(prompt: string, request: Partial<AvatarRequest> = {}): Promise<Created> {
      return accept(ports, worker, {
        caller: ANONYMOUS,
        idempotencyKey: null,
        image: { kind: 'url', url: 'https://example.com/face.jpg' },
        speech: { audioId: 'audio-1' },
        prompt,
        mode: 'std',
        externalId: null,
        metadata: {},
        traceparent: null,
        startWithinMs: null,
        callbackUrl: null,
        memory: { holder: 'test', resize: () => true, retain: () => () => undefined },
        ...request,
      });
    },
    find: async (id: string) => (await store.find(ANONYMOUS.name, id))?.avatar ?? null,
  };
}
