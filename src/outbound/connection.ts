import { Client } from 'undici';
import { type Guard, guardedConnector } from './connector.js';

/** A connection for one request. */
export interface Connection {
  readonly client: Client;
  /** The reset that ended it, where one did: to undici that may be an end like any other. */
  reset(): Error | null;
}

/**
 * A connection of its own for one request, which is what makes the check of the address one of this request. It is made
 * at the request; whoever asked destroys the client.
 */
export function connectionTo(url: URL, guard: Guard, signal: AbortSignal): Connection {
  const connect = guardedConnector(guard, { signal });
  let reset: Error | null = null;
  const client = new Client(url.origin, {
    connect: (to, callback) =>
      connect(to, (...result) => {
        result[1]?.once('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNRESET') reset = error;
        });
        callback(...result);
      }),
  });
  // undici connects again by itself after some errors (`onHttpSocketClose` and `handleConnectError` in its
  // lib/dispatcher): that ends here at the first.
  client.once('disconnect', (_origin, _targets, error) => void client.destroy(error));
  client.once('connectionError', (_origin, _targets, error) => void client.destroy(error));
  return { client, reset: () => reset };
}
