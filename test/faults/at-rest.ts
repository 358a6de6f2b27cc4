/** The bytes of an avatar at rest, read and changed behind the gateway's back, which must be closed meanwhile. */

import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import type { Test } from 'tap';
import type { Config } from '../../src/config.js';
import { unpack } from '../../src/store/redis/packed.js';
import { clientOf } from '../store/fixtures-redis.js';

export interface AtRest {
  record(id: string): Promise<string | null>;
  /** What was set aside because it could not be read. */
  aside(id: string): Promise<string | null>;
  overwrite(id: string, record: string): Promise<void>;
}

export function atRest(t: Test, { store, dataDir }: Config): AtRest {
  if (store.kind === 'redis') {
    const client = clientOf(t, store.url);
    const key = (part: string, id: string) => `{${store.keyPrefix}}:${part}:${id}`;
    const doc = async (at: string) => {
      const bytes = await client.hgetBuffer(at, 'doc');
      return bytes === null ? null : String(unpack(bytes));
    };
    return {
      record: (id) => doc(key('avatar', id)),
      aside: (id) => doc(key('corrupt', id)),
      overwrite: async (id, record) => void (await client.hset(key('avatar', id), 'doc', record)),
    };
  }
  const using = async <T>(work: (level: ClassicLevel) => Promise<T>): Promise<T> => {
    const level = new ClassicLevel(join(dataDir, 'tasks'));
    try {
      return await work(level);
    } finally {
      await level.close();
    }
  };
  const get = (key: string) => using(async (level) => (await level.get(key)) ?? null);
  return {
    record: (id) => get(`avatar!${id}`),
    aside: (id) => get(`corrupt!${id}!avatar`),
    overwrite: (id, record) => using((level) => level.put(`avatar!${id}`, record)),
  };
}
