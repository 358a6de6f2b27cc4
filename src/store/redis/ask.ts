/** Questions to several nodes about who is who. */

import { Redis, type RedisOptions } from 'ioredis';
import type { Endpoint } from './address.js';
import { unavailable } from './unavailable.js';

/** How the nodes asked are talked to: `tls`, `username`, `password`. */
export type Access = Pick<RedisOptions, 'tls' | 'username' | 'password'>;

/** Short: a node that cannot be reached must not keep the others' answers waiting. */
const TIMEOUT_MS = 1000;

/**
 * Asks all of them at once, each on a connection of its own, and returns the answers there were.
 * @throws StoreUnavailableError where nobody answered
 */
export async function askAll<T>(
  endpoints: readonly Endpoint[],
  access: Access,
  question: (client: Redis, endpoint: Endpoint) => Promise<T>,
): Promise<T[]> {
  const asked = await Promise.allSettled(endpoints.map((endpoint) => ask(endpoint, access, question)));
  const answers = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const [first] = asked;
  if (answers.length === 0) throw unavailable(first?.status === 'rejected' ? first.reason : null);
  return answers;
}

async function ask<T>(
  endpoint: Endpoint,
  access: Access,
  question: (client: Redis, endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  let failure: unknown = null;
  const client = new Redis({
    ...endpoint,
    ...access,
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    // One that hangs does not take leave either.
    disconnectTimeout: 0,
  });
  // Why a connection was not made is said here; the promise of it says that it was not.
  client.on('error', (error) => {
    failure ??= error;
  });
  try {
    await client.connect();
    return await question(client, endpoint);
  } catch (error) {
    throw failure ?? error;
  } finally {
    client.disconnect();
  }
}
