/** Questions to several nodes about who is who. */

import type { Redis } from 'ioredis';
import type { Access, AccessNow } from './access.js';
import type { Endpoint } from './address.js';
import { locatedClient } from './connector.js';
import { unavailable } from './unavailable.js';

/** Short: a node that cannot be reached must not keep the others' answers waiting. */
const TIMEOUT_MS = 1000;

/**
 * Asks all of them at once, each on a connection of its own, and returns the answers there were.
 * @throws StoreUnavailableError where nobody answered
 */
export async function askAll<T>(
  endpoints: readonly Endpoint[],
  accessNow: AccessNow,
  question: (client: Redis, endpoint: Endpoint) => Promise<T>,
): Promise<T[]> {
  const access = await accessNow();
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
  const node = { locate: async () => endpoint, access: async () => access, isTls: access.tls !== null };
  const { client } = locatedClient(node, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
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
