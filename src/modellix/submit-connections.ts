import type { Client, Dispatcher } from 'undici';
import { singleConnection } from './connector.js';
import { type Exchanged, exchange, type Limits } from './exchange.js';

/** Undici closes a connection that lies idle for so long. */
export const IDLE_MS = 500;
/** The other side keeps connections if it kept one for so long after an answer. */
const PROOF_MS = 100;
const MOST_IDLE = 64;

/**
 * Connections for submits, each for one request at a time. A submit that meets the end of its connection never arrives, and
 * its outcome is unknown. So a connection is used again only right after its last answer, when it is no more likely to be
 * closed than a new one, and only while the other side has proved that it keeps connections: one that closes them
 * without a word never has two requests on one. Where a connection turns out to be closed before a byte was written the
 * submit goes by a new one, and there it ends.
 */
export class SubmitConnections {
  readonly #make: () => Client;
  /** The one that was used last is used next, so that those that are not needed grow old. */
  #idle: Client[] = [];
  #isProven = false;
  #isClosed = false;

  /** @param make clients of one connection, which close it when it is idle for {@link IDLE_MS} */
  constructor(make: () => Client) {
    this.#make = make;
  }

  /** One request, one complete answer; never throws and never sends twice. @param request is called for each connection */
  async exchange(request: () => Dispatcher.DispatchOptions, limits: Limits): Promise<Exchanged> {
    const idle = this.#isProven ? this.#idle.pop() : undefined;
    if (idle !== undefined) {
      const result = await this.#use(idle, request(), limits);
      if (result.kind === 'answer' || result.sent) return result;
    }
    return this.#use(this.#connection(), request(), limits);
  }

  close(): void {
    this.#isClosed = true;
    for (const client of this.#idle) void client.destroy();
  }

  #connection(): Client {
    const client = singleConnection(this.#make());
    client.once('disconnect', (_origin, _targets, { code }) => {
      if (!this.#idle.includes(client)) return;
      this.#idle = this.#idle.filter((other) => other !== client);
      if (code === 'UND_ERR_INFO') return;
      // The other side closed it, and may be about to close the others.
      this.#isProven = false;
      for (const other of this.#idle) void other.destroy();
      this.#idle = [];
    });
    return client;
  }

  async #use(client: Client, request: Dispatcher.DispatchOptions, limits: Limits): Promise<Exchanged> {
    const result = await exchange(client, request, limits);
    const isUsable = result.kind === 'answer' && !client.destroyed && !this.#isClosed;
    if (isUsable && this.#idle.length < MOST_IDLE) this.#keep(client);
    else void client.destroy();
    return result;
  }

  #keep(client: Client): void {
    this.#idle.push(client);
    if (this.#isProven) return;
    const prove = () => {
      this.#isProven ||= this.#idle.includes(client);
    };
    setTimeout(prove, PROOF_MS).unref();
  }
}
