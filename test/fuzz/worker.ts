/**
 * The thread that fuzzes one target. It makes files from those it has, a batch at a time, and keeps those that
 * reach a part of our code that none before them did.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { Chance } from '../storm/random.js';
import { Coverage } from './coverage.js';
import { heldBytes } from './memory.js';
import { mutate } from './mutate.js';
import { CONTROL, type Finding, type Job, MAX_CALL_MS, type Message } from './protocol.js';
import type { Target } from './target.js';

/** So many calls between two looks at what ran, since a look takes as long as some fifty calls. */
const BATCH = 200;

/** What is kept must not be mistaken for a leak, nor slow every call down. */
const MOST_KEPT = 500;
const MOST_KEPT_BYTES = 65_536;

/** From this part of the run on everything is compiled, and no more memory must be needed. */
const EARLY = 0.3;

/** A call that was interrupted is not slow: it is made again, and the shortest time counts. */
const TRIES = 3;

const job = workerData as Job;
const control = new Int32Array(job.control);
const input = new Uint8Array(job.input);
const target = await load(job);
const chance = new Chance(job.seed).stream(target.name);
const coverage = new Coverage();
const files = [...target.seeds];
let taken = 0;
let calls = 0;
let slowestMs = 0;
let slowestBytes = 0;

async function load({ module, target }: Job): Promise<Target> {
  const { TARGETS } = (await import(module)) as { readonly TARGETS: readonly Target[] };
  const found = TARGETS.find(({ name }) => name === target);
  if (found === undefined) throw new RangeError(`there is no target "${target}"`);
  return found;
}

function say(message: Message): void {
  parentPort?.postMessage(message);
}

function report(what: Finding['what'], words: string, bytes: Uint8Array | null): void {
  say({ kind: 'finding', finding: { what, words, bytes } });
}

/** One call, watched. Gives how long it took. */
async function call(bytes: Buffer): Promise<number> {
  input.set(bytes);
  Atomics.store(control, CONTROL.length, bytes.length);
  Atomics.add(control, CONTROL.call, 1);
  calls += 1;
  const begun = performance.now();
  try {
    await target.run(bytes);
    taken += 1;
  } catch (error) {
    if (!target.isRefusal(error)) {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report('crash', words, new Uint8Array(bytes));
    }
  }
  const tookMs = performance.now() - begun;
  Atomics.add(control, CONTROL.call, 1);
  return tookMs;
}

async function callTimed(bytes: Buffer): Promise<void> {
  let tookMs = await call(bytes);
  for (let tries = 1; tookMs > MAX_CALL_MS && tries < TRIES; tries++) {
    tookMs = Math.min(tookMs, await call(bytes));
  }
  if (tookMs > MAX_CALL_MS) report('slow', `${tookMs.toFixed(0)} ms`, new Uint8Array(bytes));
  if (tookMs > slowestMs) {
    slowestMs = tookMs;
    slowestBytes = bytes.length;
  }
}

/** Half the time one of the newest: they are where something new was found. */
function pickFile(): Buffer {
  return chance.is(0.5) ? chance.pick(files.slice(-16)) : chance.pick(files);
}

async function runBatch(): Promise<void> {
  const batch: Buffer[] = [];
  for (let i = 0; i < BATCH; i++) {
    const bytes = mutate(pickFile(), { chance, target, other: chance.pick(files) });
    await callTimed(bytes);
    if (bytes.length <= MOST_KEPT_BYTES) batch.push(bytes);
  }
  if (!coverage.isNew(false)) return;
  // Something in the batch was new: again, one by one.
  for (const bytes of batch) {
    await call(bytes);
    if (coverage.isNew(true) && files.length < MOST_KEPT) files.push(Buffer.from(bytes));
  }
}

async function heldByTarget(): Promise<number> {
  return (await heldBytes()) - files.reduce((sum, { length }) => sum + length, 0);
}

await target.prepare?.();
for (const bytes of target.seeds) await callTimed(bytes);
coverage.isNew(true);
const begun = performance.now();
let earlyBytes: number | null = null;
while (performance.now() - begun < job.durationMs) {
  await runBatch();
  if (performance.now() - begun > job.durationMs * EARLY) earlyBytes ??= await heldByTarget();
}
const lateBytes = await heldByTarget();
say({
  kind: 'done',
  tally: {
    calls,
    taken,
    slowestMs,
    slowestBytes,
    kept: files.length - target.seeds.length,
    parts: coverage.parts,
    earlyBytes: earlyBytes ?? lateBytes,
    lateBytes,
  },
});
coverage.close();
