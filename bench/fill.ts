/** Ways to fill a store. */

import { openRedisStore } from '../src/store/redis/redis.js';
import type { Store } from '../src/store/store.js';

/** The store in a Redis, once it can be used. */
export function connected(url: string): Promise<Store> {
  return new Promise((resolve) => {
    const store = openRedisStore({
      url,
      onEvent: ({ kind }) => kind === 'connected' && setImmediate(() => resolve(store)),
    });
  });
}

/** Calls under way at the same time. */
const AT_ONCE = 128;

/** Does so many pieces of work, each with its number, many at once. */
export async function inParallel(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
