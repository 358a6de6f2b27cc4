/** One gateway over all its lives. */

import type { Spawned } from './process.js';

/** Between a start and the next kill, and half as long as the start took where that is longer: time to do some work. */
const SHORTEST_LIFE_MS = 300;

export interface MemberOptions {
  readonly name: string;
  /** Outlives each of its processes. */
  readonly dataDir: string;
  readonly spawn: () => Promise<Spawned>;
  /** It ended though nobody told it to, or could not start. */
  readonly onCrash: (detail: string) => void;
}

export class Member {
  readonly name: string;
  readonly dataDir: string;
  /** Where it was last heard of; nobody may be there now. */
  url = '';
  state: 'down' | 'up' | 'frozen' = 'down';
  #livesFrom = Number.POSITIVE_INFINITY;
  readonly #options: MemberOptions;
  #process: Spawned | null = null;
  /** One start or end after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MemberOptions) {
    this.#options = options;
    this.name = options.name;
    this.dataDir = options.dataDir;
  }

  /** Resolves when it listens. */
  start(): Promise<void> {
    return this.#next(async () => {
      if (this.#process !== null) return;
      const { spawn, onCrash } = this.#options;
      const startedAt = performance.now();
      try {
        const spawned = await spawn();
        this.#process = spawned;
        this.url = spawned.url;
        this.state = 'up';
        const now = performance.now();
        this.#livesFrom = now + Math.max(SHORTEST_LIFE_MS, (now - startedAt) / 2);
        void spawned.ended.then((code) => {
          if (this.#process !== spawned) return;
          this.#process = null;
          this.state = 'down';
          onCrash(`${this.name} ended by itself with ${code}`);
        });
      } catch (error) {
        onCrash(`${this.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }

  /** Resolves with the exit code when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    this.thaw();
    const ending = this.#process;
    this.#process = null;
    this.state = 'down';
    return this.#next(async () => {
      const late = this.#process;
      this.#process = null;
      this.state = 'down';
      const codes = await Promise.all([ending?.stop(signal) ?? null, late?.stop(signal) ?? null]);
      return codes[0] ?? codes[1];
    });
  }

  /** Whether it has been at work for a while. */
  get lives(): boolean {
    return this.state === 'up' && performance.now() > this.#livesFrom;
  }

  freeze(): void {
    if (this.state !== 'up') return;
    this.#process?.freeze();
    this.state = 'frozen';
  }

  thaw(): void {
    if (this.state !== 'frozen') return;
    this.#process?.thaw();
    this.state = 'up';
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
