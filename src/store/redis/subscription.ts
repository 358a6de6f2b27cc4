import type { Redis } from 'ioredis';

/** Hears of changes while somebody listens. What is said while the connection is away is not heard. */
export class Subscription {
  readonly #connect: () => Redis;
  readonly #channel: string;
  readonly #listeners = new Set<(id: string) => void>();
  #client: Redis | null = null;

  constructor(connect: () => Redis, channel: string) {
    this.#connect = connect;
    this.#channel = channel;
  }

  listen(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    this.#client ??= this.#subscribe();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  close(): void {
    this.#client?.disconnect();
    this.#client = null;
  }

  #subscribe(): Redis {
    const client = this.#connect();
    client.on('error', () => {}); // It comes back by itself, and the store's own connection says what is wrong.
    client.on('message', (_channel, id: string) => {
      for (const listener of this.#listeners) listener(id);
    });
    client.subscribe(this.#channel).catch(() => {}); // Again on each new connection.
    return client;
  }
}
