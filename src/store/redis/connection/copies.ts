import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { away } from './unavailable.js';

export interface WaitFor {
  /** This many replicas have it (WAIT). */
  readonly replicas: number;
  /** The master's own append-only file has it (WAITAOF, of Redis 7.2). */
  readonly ownFile: boolean;
}

/**
 * Waits for copies of what was written on one connection.
 *
 * Until Redis has them or gives up, it does nothing else for the connection. So all writes that come to wait meanwhile
 * share the next question: where replicas are missing, the reads behind it wait for one, not for one a write.
 */
export class Copies {
  readonly #client: Redis;
  readonly #waitFor: WaitFor;
  readonly #waitMs: number;
  #asked: Promise<boolean> = Promise.resolve(true);
  #next: Promise<boolean> | null = null;
  #ended = false;

  constructor(client: Redis, waitFor: WaitFor, waitMs: number) {
    this.#client = client;
    this.#waitFor = waitFor;
    this.#waitMs = Math.max(1, Math.ceil(waitMs));
  }

  /** On another connection there is nothing to wait for, and no copy is known of. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Whether all that was written so far has its copies within the time.
   * @throws StoreUnavailableError where the connection ended, which leaves that open
   */
  async made(leftMs: number): Promise<boolean> {
    const { replicas, ownFile } = this.#waitFor;
    if (replicas === 0 && !ownFile) return true;
    const late = new AbortController();
    try {
      return await Promise.race([this.#answer(), pause(Math.max(1, leftMs), false, { signal: late.signal })]);
    } finally {
      late.abort();
    }
  }

  /** Whoever asks while a question is under way shares the next one. */
  #answer(): Promise<boolean> {
    const ask = () => {
      this.#next = null;
      this.#asked = this.#question();
      return this.#asked;
    };
    this.#next ??= this.#asked.then(ask, ask);
    return this.#next;
  }

  async #question(): Promise<boolean> {
    if (this.#ended) throw away();
    const { replicas, ownFile } = this.#waitFor;
    const [copied, filed] = await Promise.all([
      replicas === 0 || this.#client.wait(replicas, this.#waitMs).then((count) => count >= replicas),
      !ownFile || inOwnFile(this.#client, this.#waitMs),
    ]);
    return copied && filed;
  }
}

async function inOwnFile(client: Redis, waitMs: number): Promise<boolean> {
  const [own] = (await client.call('WAITAOF', 1, 0, waitMs)) as [number, number];
  return own >= 1;
}
