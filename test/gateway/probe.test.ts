/** A probe is a call like any other: it takes one of its key's. */

import t from 'tap';
import { Limits } from '../../src/gateway/limits/limits.js';
import { Timing } from '../../src/gateway/limits/timing.js';
import type { Ports } from '../../src/gateway/ports.js';
import { Worker } from '../../src/gateway/worker.js';
import { KeyPool } from '../../src/modellix/keyring.js';
import type { Store } from '../../src/store/store.js';
import { clockedStore, NOW } from './clocked.js';
import { SETTINGS } from './world.js';

const SILENT = { limit: null, remaining: null, resetInMs: null };

t.test('[B12] a probe waits for a call of its key', async (t) => {
  const { store, pass } = await clockedStore(t);
  let waitMs = 700;
  const keys = new Map([['key', { slots: 1, due: 0, dueInMs: null }]]);
  const unfinished = { now: NOW, queued: 0, queuedBytes: 0, dueInMs: null, keys };
  const seen: Store = Object.assign(Object.create(store) as Store, {
    outlook: async () => unfinished,
    keyIds: async () => [],
    takeCall: async () => waitMs,
    document: store.document.bind(store),
    swap: store.swap.bind(store),
  });
  const limits = new Limits(seen, { callsPerMinute: 100, tasks: 3 }, () => 0, ['/submit']);
  const probes: string[] = [];
  const silent = () => undefined;
  const stopping = new AbortController();
  const ports = {
    store: seen,
    limits,
    timing: new Timing(seen, { pollMinMs: 0, pollMaxMs: 0, longPollMs: 0, netMs: null }, () => 0),
    keyring: new KeyPool(['key']),
    modellix: {
      probe: async ({ id }: { id: string }) => {
        probes.push(id);
        return 'ok';
      },
    },
    settings: SETTINGS,
    log: { info: silent, warn: silent, error: silent },
    stopping: stopping.signal,
  } as unknown as Ports;
  await limits.report({ keyId: 'key', call: 'poll', said: 'unreachable', headers: SILENT }, 'av_1');
  pass(2_000);
  const worker = new Worker(ports);
  t.equal(await worker.pass(), 700);
  t.same(probes, []);
  waitMs = 0;
  await worker.pass();
  t.same(probes.length, 1);
  stopping.abort();
  await worker.close();
});
