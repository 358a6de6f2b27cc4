import type { Redis } from 'ioredis';
import type { Change } from '../../store.js';
import { idIn } from '../ids.js';
import type { ClientOptions } from './connector.js';

/**
 * Hears of changes while somebody listens, on a connection that comes back by itself. What is said while it is away is not heard:
 * once it is back, anything may have changed.
 *
 * One that only listens would never learn that its peer is gone without a word, so it asks now and then. It subscribes
 * by hand on each connection: the client would do so out of reach, with a failure that nobody catches.
 */
export class Subscription {
  readonly #connect: (options: ClientOptions) => Redis | null;
  readonly #channel: string;
  readonly #pingMs: number;
  readonly #listeners = new Set<(change: Change | null) => void>();
  #client: Redis | null = null;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param connect makes a client; `null` while it is not known where to
   * @param pingMs how often it is asked; one that did not answer by the next time is given up
   */
  constructor(connect: (options: ClientOptions) => Redis | null, channel: string, pingMs = 5_000) {
    this.#pingMs = pingMs;
    this.#connect = connect;
    this.#channel = channel;
  }

  listen(listener: (change: Change | null) => void): () => void {
    this.#listeners.add(listener);
    if (this.#client === null) this.renew();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** Has those who listen hear what is said where the store is now. */
  renew(): void {
    this.close();
    if (this.#listeners.size === 0) return;
    const client = this.#connect({
      maxRetriesPerRequest: null,
      autoResubscribe: false,
      socketTimeout: this.#pingMs,
    });
    this.#client = client;
    client?.on('error', () => {}); // It comes back by itself, and the store's own connection says what is wrong.
    client?.on('ready', () => {
      client.subscribe(this.#channel).then(
        () => this.#tell(null),
        () => {}, // Who may not hear does without.
      );
    });
    client?.on('message', (_channel, message: string) => {
      const change = changeIn(message);
      if (change !== null) this.#tell(change);
    });
    const ping = () => client?.status === 'ready' && client.ping().catch(() => {});
    this.#timer = setInterval(ping, this.#pingMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#client?.disconnect();
    this.#client = null;
  }

  #tell(change: Change | null): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** `null` where another release said something that this one does not know. */
function changeIn(message: string): Change | null {
  const [, version, word, at, caller] = /^(\d+) (\S+) (\d+) (.*)$/s.exec(message) ?? [];
  if (word === undefined || caller === undefined) return null;
  const [id, name] = [idIn(word), decodeURIComponent(caller)];
  return version === '0'
    ? { id, caller: name, version: null, at: null }
    : { id, caller: name, version: Number(version), at: Number(at) };
}
