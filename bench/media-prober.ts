/**
 * Asks the same GET at fixed times, however long the answers take, and times each from when it was to be asked: what
 * waits behind a stall is not left out. A thread; `workerData` is the URL.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'undici';
import { codeOf } from './media-messages.js';

const EVERY_MS = 5;
const ANSWER_TIMEOUT_MS = 30_000;

export interface Probed {
  /** How long each took that was planned in the measured time. */
  readonly getsMs: readonly number[];
  /** Any other than a 200, by what it was. */
  readonly notOk: Readonly<Record<string, number>>;
}

const { origin, pathname: path }: URL = new URL(workerData);
const pool = new Pool(origin, { headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS });
const getsMs: number[] = [];
const notOk: Record<string, number> = {};
const pending = new Set<Promise<void>>();
let measuring = false;
let plannedMs = performance.now();
let timer = setTimeout(askWhatIsDue);

parentPort?.on('message', async (word: 'measure' | 'end') => {
  if (word === 'measure') measuring = true;
  if (word !== 'end') return;
  clearTimeout(timer);
  await Promise.all(pending);
  parentPort?.postMessage({ getsMs, notOk } satisfies Probed);
});

function askWhatIsDue(): void {
  for (; plannedMs <= performance.now(); plannedMs += EVERY_MS) {
    const asked = ask(plannedMs, measuring);
    pending.add(asked);
    void asked.then(() => pending.delete(asked));
  }
  timer = setTimeout(askWhatIsDue, plannedMs - performance.now());
}

async function ask(plannedAt: number, counts: boolean): Promise<void> {
  const outcome = await get().catch(codeOf);
  if (counts) getsMs.push(performance.now() - plannedAt);
  if (outcome !== '200') notOk[outcome] = (notOk[outcome] ?? 0) + 1;
}

async function get(): Promise<string> {
  const { statusCode, body } = await pool.request({ method: 'GET', path });
  await body.dump();
  return String(statusCode);
}
