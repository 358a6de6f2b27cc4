/** The bytes of an avatar at rest, read and changed behind the gateway's back, which must be closed meanwhile. */

import type { Test } from 'tap';
import type { Config } from '../../src/config/config.js';
import { idWord } from '../../src/store/redis/ids.js';
import { documentIn } from '../../src/store/redis/records.js';
import type { Database } from '../../src/store/sqlite/database.js';
import { clientOf, overwriteDocument } from '../store/fixtures-redis.js';
import { byHand, docOf, overwriteDoc } from '../store/fixtures-sqlite.js';

export interface AtRest {
  record(id: string): Promise<string | null>;
  /** What was quarantined because it could not be read. */
  quarantined(id: string): Promise<string | null>;
  overwrite(id: string, record: string): Promise<void>;
}

export function atRest(t: Test, { store, dataDir }: Config): AtRest {
  if (store.kind === 'redis') {
    const client = clientOf(t, store.url);
    const key = (part: string, id: string) => `{${store.keyPrefix}}:${part}:${idWord(id)}`;
    const text = async (part: string, id: string) => {
      const stored = await client.getBuffer(key(part, id));
      return stored === null ? null : String(documentIn(id, stored));
    };
    return {
      record: (id) => text('avatar', id),
      quarantined: (id) => text('corrupt', id),
      overwrite: (id, record) => overwriteDocument(client, key('avatar', id), record),
    };
  }
  const using = <T>(work: (db: Database) => T): Promise<T> => byHand(dataDir, work);
  const text = (doc: Buffer | null) => doc && String(doc);
  return {
    record: (id) => using((db) => text(docOf(db, 'avatars', id))),
    quarantined: (id) => using((db) => text(docOf(db, 'quarantine', id))),
    overwrite: (id, record) => using((db) => overwriteDoc(db, id, Buffer.from(record))),
  };
}
