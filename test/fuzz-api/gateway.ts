/** A gateway with a Modellix in good health, and avatars that soon come to every end there is. */

import { parseNetworks } from '../../src/outbound/addresses.js';
import { type RunningApp, startApp } from '../support/app.js';
import { callersFile, keyOf } from '../support/callers.js';
import { CALLBACK_NETWORKS, startReceiver } from '../support/receiver.js';
import { recipesFor } from './recipes.js';
import type { Recipes } from './values.js';

/** A Modellix in good health answers by then, however busy the machine is; one that does not is given up, and that is a 503. */
const PATIENCE_MS = 60_000;

interface Teardown {
  teardown(fn: () => void | Promise<void>): unknown;
}

export interface Fuzzed extends RunningApp {
  readonly recipes: Recipes;
  /** Of an admin, who may ask for everything. */
  readonly key: string;
}

export async function startFuzzed(t: Teardown): Promise<Fuzzed> {
  const receiver = await startReceiver(t);
  const { file } = await callersFile(t, { fuzzer: { admin: true }, other: {} });
  const app = await startApp(t, {
    callers: { kind: 'file', file },
    simulator: {
      settings: {
        taskMs: { min: 20, max: 600 },
        failureRate: 0.2,
        // Some videos are gone soon.
        resultTtlMs: 15_000,
        callsPerMinute: 1_000_000,
        concurrency: 1_000_000,
        teams: { team: { balance: 1e9 } },
      },
    },
    // Few enough for a queue, in which avatars can be canceled.
    limits: { tasks: 40 },
    modellix: {
      connectTimeoutMs: PATIENCE_MS,
      submitTimeoutMs: PATIENCE_MS,
      queryTimeoutMs: PATIENCE_MS,
      videoTimeoutMs: PATIENCE_MS,
    },
    pushes: { url: 'https://gateway.example', listen: null },
    callbacks: { allowedNetworks: parseNetworks(CALLBACK_NETWORKS) },
    // Time enough for none to be forgotten but by those who ask for it, and some.
    gateway: { retentionMs: 30_000, submitGraceMs: 1_000 },
  });
  // Now and then an answer is lost: nobody knows whether the avatar was made.
  app.simulator.inject({ on: 'submit', probability: 0.03, when: 'after', do: { close: 'head' } });
  return { ...app, recipes: recipesFor(receiver.url), key: keyOf('fuzzer') };
}
