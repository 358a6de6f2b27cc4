/** Which parts of our code ran, by V8's own counters. */

import { type Profiler, Session } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  /** Counts from now on, in this thread. */
  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many different parts have been seen. */
  get parts(): number {
    return this.#seen.size;
  }

  /** Whether anything ran since the last call that never ran before. With `learn`, it is known from now on. */
  isNew(learn: boolean): boolean {
    let found = false;
    for (const key of this.#take()) {
      if (this.#seen.has(key)) continue;
      found = true;
      if (learn) this.#seen.add(key);
    }
    return found;
  }

  close(): void {
    this.#session.disconnect();
  }

  *#take(): Generator<string> {
    let taken: Profiler.TakePreciseCoverageReturnType | undefined;
    // In its own thread a session answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (_error, result) => {
      taken = result;
    });
    for (const { url, functions } of taken?.result ?? []) {
      if (!url.includes('/src/')) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          yield `${url}:${startOffset}:${endOffset}:${count > 0}`;
        }
      }
    }
  }
}
