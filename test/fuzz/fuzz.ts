/** Fuzzes targets, each in a thread of its own that is watched from here, several side by side. */

import { Worker } from 'node:worker_threads';
import { CONTROL, type Finding, type Job, MAX_CALL_MS, type Message, type Tally } from './protocol.js';
import type { Target } from './target.js';

export interface FuzzOptions {
  /** Address of the module that exports the targets as `TARGETS`. */
  readonly module: URL;
  readonly targets: readonly Target[];
  readonly seed: number;
  /** Of each target. */
  readonly durationMs: number;
  readonly threads: number;
  /** A target that so many were found in is left. {@link MOST_FINDINGS} where not given. */
  readonly mostFindings?: number;
  readonly onResult?: (result: FuzzResult) => void;
}

export interface FuzzResult {
  readonly name: string;
  readonly findings: readonly Finding[];
  /** `null` where the thread did not come to its end. */
  readonly tally: Tally | null;
}

/**
 * What may be held at the end that was not held early. Compiled code and what V8 knows of it come to some
 * megabytes; over the 100,000 calls and more of five minutes this is less than 200 bytes a call.
 */
const MAX_GROWTH_BYTES = 16_000_000;

/** A call that has not come back by then never will; until then the thread may still tell that it was interrupted. */
const HANG_MS = 5 * MAX_CALL_MS;
const LOOK_MS = 100;

/** More is a finding of its own: no parser of 10 MB needs it. */
const MAX_HEAP_MB = 512;

/** One finding of a kind is enough to begin with. */
const MOST_FINDINGS = 20;

export async function fuzz(options: FuzzOptions): Promise<readonly FuzzResult[]> {
  const results: FuzzResult[] = [];
  const left = options.targets.values();
  const threads = Array.from({ length: options.threads }, async () => {
    for (const target of left) {
      const result = await fuzzOne(target, options);
      results.push(result);
      options.onResult?.(result);
    }
  });
  await Promise.all(threads);
  return results;
}

function fuzzOne(
  target: Target,
  { module, seed, durationMs, mostFindings = MOST_FINDINGS }: FuzzOptions,
): Promise<FuzzResult> {
  const findings: Finding[] = [];
  let tally: Tally | null = null;
  const job: Job = {
    module: module.href,
    target: target.name,
    seed,
    durationMs,
    control: new SharedArrayBuffer(CONTROL.words * Int32Array.BYTES_PER_ELEMENT),
    input: new SharedArrayBuffer(target.maxBytes),
  };
  const worker = new Worker(new URL('./start.mjs', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const watch = watchCalls(job, () => {
    findings.push({ what: 'hang', words: `no answer after ${HANG_MS} ms`, bytes: inputOf(job) });
    void worker.terminate();
  });
  return new Promise((resolve) => {
    worker.on('message', (message: Message) => {
      if (message.kind === 'done') tally = message.tally;
      else findings.push(message.finding);
      if (findings.length >= mostFindings) void worker.terminate();
    });
    worker.on('error', (error) => {
      findings.push({ what: 'died', words: error.stack ?? error.message, bytes: inputOf(job) });
    });
    worker.on('exit', () => {
      clearInterval(watch);
      const grownBytes = tally === null ? 0 : tally.lateBytes - tally.earlyBytes;
      if (grownBytes > MAX_GROWTH_BYTES) {
        findings.push({ what: 'leak', words: `${grownBytes} bytes more at the end`, bytes: null });
      }
      resolve({ name: target.name, findings, tally });
    });
  });
}

/** Calls back when one and the same call is seen running for too long. */
function watchCalls(job: Job, onHang: () => void): NodeJS.Timeout {
  const control = new Int32Array(job.control);
  let seen = 0;
  let since = performance.now();
  return setInterval(() => {
    const call = Atomics.load(control, CONTROL.call);
    const isRunning = call % 2 === 1;
    if (!isRunning || call !== seen) {
      seen = call;
      since = performance.now();
    } else if (performance.now() - since > HANG_MS) {
      since = Number.POSITIVE_INFINITY;
      onHang();
    }
  }, LOOK_MS);
}

/** A copy of what the last call was given. */
function inputOf({ control, input }: Job): Uint8Array {
  const length = Atomics.load(new Int32Array(control), CONTROL.length);
  return new Uint8Array(input).slice(0, length);
}
