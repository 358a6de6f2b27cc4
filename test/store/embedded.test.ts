import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { openEmbeddedStore } from '../../src/store/embedded.js';
import { storeContract } from './contract.js';
import type { Raw } from './contract-damage.js';

storeContract('embedded', async (t) => {
  const dir = t.testdir();
  let store = await openEmbeddedStore({ dir });
  t.teardown(() => store.close());
  return {
    get store() {
      return store;
    },
    submissions: () => readdir(join(dir, 'media')),
    async raw(work) {
      await store.close();
      const level = new ClassicLevel<string, Buffer>(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
      const read = async (key: string) => (await level.get(key)) ?? null;
      const raw: Raw = {
        record: (id) => read(`avatar!${id}`),
        overwrite: (id, bytes) => level.put(`avatar!${id}`, bytes),
        quarantined: (id) => read(`corrupt!${id}!avatar`),
      };
      const result = await work(raw);
      await level.close();
      store = await openEmbeddedStore({ dir });
      return result;
    },
  };
});
