import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { storeContract } from './contract.js';
import { byHand, docOf, overwriteDoc } from './fixtures-sqlite.js';

storeContract('sqlite', async (t) => {
  const dir = t.testdir();
  const store = await openSqliteStore({ dir });
  t.teardown(() => store.close());
  return {
    store,
    async submissions() {
      const rows = await byHand(dir, (db) =>
        db.sql('select seq from avatars where submission is not null').all([]),
      );
      return [...(await readdir(join(dir, 'media'))), ...rows.map(String)];
    },
    raw: (work) =>
      byHand(dir, (db) =>
        work({
          record: async (id) => docOf(db, 'avatars', id),
          quarantined: async (id) => docOf(db, 'quarantine', id),
          overwrite: async (id, bytes) => overwriteDoc(db, id, bytes),
        }),
      ),
  };
});
