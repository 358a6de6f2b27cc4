/** Every record in a store, read past the gateways. */

import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { Redis } from 'ioredis';
import type { Avatar } from '../../src/domain/avatar.js';
import { decodeRecord } from '../../src/store/record.js';
import { unpack } from '../../src/store/redis/packed.js';

export async function recordsInRedis(url: string, prefix: string): Promise<Avatar[]> {
  const client = new Redis(url);
  const start = `{${prefix}}:avatar:`;
  const avatars = new Map<string, Avatar>();
  try {
    for await (const keys of client.scanStream({ match: `${start}*`, count: 1000 })) {
      for (const key of keys as string[]) {
        const id = key.slice(start.length);
        const doc = await client.hgetBuffer(key, 'doc');
        if (doc !== null) avatars.set(id, decodeRecord(id, unpack(doc)));
      }
    }
  } finally {
    client.disconnect();
  }
  return [...avatars.values()];
}

/** The gateway must have ended: the directory is one process's at a time. */
export async function recordsInLevel(dataDir: string): Promise<Avatar[]> {
  const level = new ClassicLevel<string, Buffer>(join(dataDir, 'tasks'), {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    createIfMissing: false,
  });
  const start = 'avatar!';
  try {
    const entries = await level.iterator({ gt: start, lt: 'avatar"' }).all();
    return entries.map(([key, doc]) => decodeRecord(key.slice(start.length), doc));
  } finally {
    await level.close();
  }
}
