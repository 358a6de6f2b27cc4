/** Every record in a store, read past the gateways. */

import { Redis } from 'ioredis';
import type { Avatar } from '../../src/domain/avatar.js';
import { decodeRecord } from '../../src/store/record.js';
import { idIn } from '../../src/store/redis/ids.js';
import { recordIn } from '../../src/store/redis/records.js';
import { readAvatars } from '../../src/store/sqlite/rows.js';
import { byHand } from '../store/fixtures-sqlite.js';

export async function recordsInRedis(url: string, prefix: string): Promise<Avatar[]> {
  const client = new Redis(url);
  const start = `{${prefix}}:avatar:`;
  const avatars = new Map<string, Avatar>();
  try {
    for await (const keys of client.scanStream({ match: `${start}*`, count: 1000 })) {
      for (const key of keys as string[]) {
        const id = idIn(key.slice(start.length));
        const stored = await client.getBuffer(key);
        if (stored !== null) avatars.set(id, recordIn(id, stored).avatar);
      }
    }
  } finally {
    client.disconnect();
  }
  return [...avatars.values()];
}

/** Also while a gateway runs. */
export async function recordsInSqlite(dataDir: string): Promise<Avatar[]> {
  return byHand(dataDir, (db) =>
    readAvatars(db, 'true', []).map((row) => {
      if ('damaged' in row) throw new Error(`row ${row.seq} is damaged`);
      const { id, doc, status, key_id: keyId, attempt, intent } = row;
      return decodeRecord(id, doc, { status, keyId, attempt, intent });
    }),
  );
}
