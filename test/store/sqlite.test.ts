import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SCHEMA, schemaOf } from '../../src/store/schema.js';
import { readAvatar, updateAvatar } from '../../src/store/sqlite/rows.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { storeContract } from './contract.js';
import type { Raw } from './contract-damage.js';
import { byHand } from './fixtures-sqlite.js';

storeContract('sqlite', async (t) => {
  const dir = t.testdir();
  let store = await openSqliteStore({ dir });
  t.teardown(() => store.close());
  return {
    get store() {
      return store;
    },
    async submissions() {
      const rows = await byHand(dir, (db) =>
        db.sql('select seq from submissions where file is null').all([]),
      );
      return [...(await readdir(join(dir, 'media'))), ...rows.map(String)];
    },
    raw: (work) =>
      byHand(dir, async (db) => {
        let isOverwritten = false;
        const bytesOf = (row: unknown[] | undefined) => (row === undefined ? null : (row[0] as Buffer));
        const raw: Raw = {
          record: async (id) => bytesOf(db.sql('select doc from avatars where id = ?').get([id])),
          quarantined: async (id) => bytesOf(db.sql('select doc from quarantine where id = ?').get([id])),
          async overwrite(id, bytes) {
            isOverwritten = true;
            const row = readAvatar(db, 'id = ?', [id]);
            // What a release wrote has the checksum of what it wrote.
            const isWritten = (schemaOf(bytes) ?? 0) >= SCHEMA;
            if (isWritten && row !== null && !('damaged' in row))
              updateAvatar(db, row, { ...row, doc: bytes });
            else db.sql('update avatars set doc = ? where id = ?').run([bytes, id]);
          },
        };
        const result = await work(raw);
        if (!isOverwritten) {
          await store.close();
          store = await openSqliteStore({ dir });
        }
        return result;
      }),
  };
});
