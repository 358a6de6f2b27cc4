/** Callbacks of avatars that end at a steady rate, to receivers of which a tenth is dead. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Teardown } from '../test/support/redis-process.js';
import { type Scripts, start } from './process.js';
import type { Received, WaitSaid, WaitTold } from './wait-messages.js';
import { cancel, type StoreName, startWorld } from './wait-world.js';

export interface CallbacksOptions {
  readonly scripts: Scripts;
  readonly dir: string;
  readonly store: StoreName;
  readonly callbacks: number;
}

export interface CallbacksSeen extends Received {
  readonly store: StoreName;
  readonly seconds: number;
  readonly callbacks: number;
  /** Of these, to receivers that answer. */
  readonly toLiving: number;
}

export const CALLBACKS_A_MINUTE = 1_000;
export const RECEIVERS = { living: 18, silent: 1, refusing: 1 } as const;
/** The longest wait for what should have come by the last end. */
const PATIENCE_MS = 15_000;

export async function callbacks(t: Teardown, options: CallbacksOptions): Promise<CallbacksSeen> {
  const { scripts, store, callbacks: count } = options;
  const receivers = start<WaitTold, WaitSaid>(scripts.bench('wait-receivers'));
  t.teardown(receivers.kill);
  receivers.tell({ kind: 'receive', ...RECEIVERS });
  const { origins } = await receivers.hear('receiving');
  const callbackUrls = Array.from({ length: count }, (_, n) => `${origins[n % origins.length]}/avatars`);
  const world = await startWorld(t, { ...options, replicas: 1, callbackUrls });
  const living = origins.slice(0, RECEIVERS.living);
  const toLiving = callbackUrls.filter((url) => living.some((origin) => url.startsWith(`${origin}/`))).length;

  const startedAt = performance.now();
  const asked: Promise<void>[] = [];
  for (const [n, id] of world.ids.entries()) {
    const planned = startedAt + (n * 60_000) / CALLBACKS_A_MINUTE;
    await sleep(Math.max(0, planned - performance.now()));
    asked.push(cancel(world.changing, id));
  }
  await Promise.all(asked);
  const seconds = (performance.now() - startedAt) / 1000;
  const ask = async () => {
    receivers.tell({ kind: 'tell' });
    return (await receivers.hear('received')).received;
  };
  let received = await ask();
  const deadline = performance.now() + PATIENCE_MS;
  while (received.latenessMs.length < toLiving && performance.now() < deadline) {
    await sleep(250);
    received = await ask();
  }
  return { ...received, store, seconds, callbacks: count, toLiving };
}
