/** What a gateway costs that is not a rate: its start, its memory at rest, and what one avatar writes and leaves in the store. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Teardown } from '../../test/support/redis-process.js';
import { type Gateway, makeAvatar, type StoreName, startGateway } from './gateway.js';
import { median } from './ratios.js';
import { type World, withTeardown } from './rig.js';
import { rssBytes } from './usage.js';
import { type Writes, writesOf } from './writes.js';

export interface Costs {
  readonly store: StoreName;
  readonly readyMs: number;
  readonly idleBytes: number;
  /** Of one avatar, from its POST until it is `pending`; `null` where it cannot be counted here. */
  readonly writes: Writes | null;
  /** One finished avatar, with all indexes; of Redis, whatever its `appendfsync`, so once. */
  readonly avatarBytes: number | null;
}

export interface CostsEffort {
  readonly starts: number;
  readonly restMs: number;
  readonly counted: number;
  readonly weighed: number;
}

export async function costsOf(
  world: World,
  /** Where every task has succeeded. */
  finishedUrl: string,
  store: StoreName,
  effort: CostsEffort,
): Promise<Costs> {
  const readyMs: number[] = [];
  const idleBytes: number[] = [];
  let writes: Writes | null = null;
  for (let n = 1; n <= effort.starts; n++) {
    await withTeardown(async (t) => {
      const gateway = await startGateway(t, world, store);
      readyMs.push(gateway.readyMs);
      await sleep(effort.restMs);
      idleBytes.push(await rssBytes(gateway.process.pid));
      if (n === effort.starts) writes = await writesOf(t, gateway, effort.counted);
    });
  }
  return {
    store,
    readyMs: median(readyMs),
    idleBytes: median(idleBytes),
    writes,
    avatarBytes:
      store === 'everysec'
        ? await withTeardown((t) => weigh(t, { ...world, upstreamUrl: finishedUrl }, store, effort.weighed))
        : null,
  };
}

/** Before they are weighed, so many have made whatever is made once. */
const FIRST = 100;

async function weigh(t: Teardown, world: World, store: StoreName, avatars: number): Promise<number> {
  const gateway = await startGateway(t, world, store, {
    env: { POLL_MIN_SECONDS: '1', POLL_MAX_SECONDS: '1' },
  });
  const client = new Redis(gateway.redis?.url ?? '');
  t.teardown(() => client.disconnect());
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
  await finish(gateway, FIRST);
  const before = await used();
  await finish(gateway, avatars);
  return ((await used()) - before) / avatars;
}

/** Makes avatars and waits until each has succeeded. */
async function finish(gateway: Gateway, avatars: number): Promise<void> {
  const paths: string[] = [];
  for (let n = 0; n < avatars; n++) paths.push(await makeAvatar(gateway));
  for (const path of paths) {
    const answer = await fetch(gateway.url + path, { headers: { prefer: 'wait=30' } });
    const { status } = (await answer.json()) as { readonly status: string };
    if (status !== 'succeeded') throw new Error(`an avatar is ${status}, not succeeded`);
  }
}
