/** Every record in a store, read past the gateways. */

import { Redis } from 'ioredis';
import type { Avatar } from '../../src/domain/avatar.js';
import { EVERYONE } from '../../src/domain/caller.js';
import { recordIn } from '../../src/store/redis/records.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import type { Place } from '../../src/store/store.js';

export async function recordsInRedis(url: string, prefix: string): Promise<Avatar[]> {
  const client = new Redis(url);
  const start = `{${prefix}}:avatar:`;
  const avatars = new Map<string, Avatar>();
  try {
    for await (const keys of client.scanStream({ match: `${start}*`, count: 1000 })) {
      for (const key of keys as string[]) {
        const id = key.slice(start.length);
        const stored = await client.getBuffer(key);
        if (stored !== null) avatars.set(id, recordIn(id, stored).avatar);
      }
    }
  } finally {
    client.disconnect();
  }
  return [...avatars.values()];
}

/** The gateway must have ended: the directory is one process's at a time. */
export async function recordsInSqlite(dataDir: string): Promise<Avatar[]> {
  const store = await openSqliteStore({ dir: dataDir });
  try {
    const avatars: Avatar[] = [];
    const any = { statuses: null, externalId: null, createdAfter: null, createdBefore: null };
    for (let behind: Place | null = null; ; ) {
      const { found, next } = await store.list(EVERYONE, { ...any, behind, limit: 1_000 });
      avatars.push(...found.map(({ avatar }) => avatar));
      if (next === null) break;
      behind = next;
    }
    const { corruptRecords } = store.health();
    if (corruptRecords > 0) throw new Error(`${corruptRecords} records cannot be read`);
    return avatars;
  } finally {
    await store.close();
  }
}
