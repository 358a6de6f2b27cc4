/** Wrong bytes in the files of the store are found at the start and said, or harmless. `npm run flips` tries hundreds. */

import { copyFile, open as openFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CorruptRecordError } from '../../src/store/record.js';
import { openSqliteStore } from '../../src/store/sqlite/sqlite.js';
import { beginFirst, CALLER } from './fixtures.js';
import { byHand, child, create, open } from './fixtures-sqlite.js';
import { flips } from './flips.js';

const refusal = (why: RegExp) => ({
  name: 'StoreUnavailableError',
  message: new RegExp(`^the data directory \\S+ is damaged: ${why.source}\\. Nothing was sent; [^\\n]*$`),
});

/** A store that was killed after it has said that an avatar was admitted: what it wrote is in its log. */
async function killed(t: Test): Promise<string> {
  const dir = t.testdir();
  const other = child(t, 'spend', dir);
  for (let said = 0; said < 60; said++) await other.says();
  await other.kill();
  return dir;
}

async function flipByte(file: string, offset: number): Promise<void> {
  const handle = await openFile(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, offset);
  await handle.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, offset);
  await handle.close();
}

t.test(
  '[A2] [F48] sqlite: 20 bytes in its files are flipped, and nothing is submitted twice or lost silently',
  async (t) => {
    const { violations, ...tally } = await flips({ count: 20, seed: 17 });
    t.same(violations, []);
    t.comment(JSON.stringify(tally));
  },
);

t.test(
  '[A2] [F48] sqlite: a wrong byte in the middle of the log is refused, not the end of it',
  async (t) => {
    const dir = await killed(t);
    const log = await readFile(join(dir, 'avatars.db-wal'));
    await flipByte(join(dir, 'avatars.db-wal'), Math.floor(log.length / 2));
    const why = /the end of its log is damaged: \d+ commits are missing/;
    await t.rejects(openSqliteStore({ dir }), refusal(why));
    await t.rejects(openSqliteStore({ dir }), refusal(why), 'and again');
  },
);

t.test('[A2] sqlite: a log that is gone, or shorter than what was acknowledged, is refused', async (t) => {
  const dir = await killed(t);
  const log = join(dir, 'avatars.db-wal');
  await copyFile(log, join(dir, 'copy'));
  await truncate(log, 100_000);
  await t.rejects(
    openSqliteStore({ dir }),
    refusal(/the end of its log is damaged: \d+ commits are missing/),
  );
  await rm(log, { force: true });
  await t.rejects(
    openSqliteStore({ dir }),
    refusal(/the end of its log is damaged: \d+ commits are missing/),
  );
});

t.test('[A2] sqlite: a commit that a power cut tore, of which nobody was told, is no damage', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  await create(store, 'av_1');
  const log = join(dir, 'avatars.db-wal');
  const { length } = await readFile(log);
  await create(store, 'av_2');
  const [db, whole] = [await readFile(join(dir, 'avatars.db')), await readFile(log)];
  await store.close();
  const torn = t.testdir({ torn: {} });
  await writeFile(join(torn, 'avatars.db'), db);
  await writeFile(join(torn, 'avatars.db-wal'), whole.subarray(0, length + 5000));
  const again = await open(t, torn);
  t.match(await again.find(CALLER, 'av_1'), { version: 1 });
  t.equal(await again.find(CALLER, 'av_2'), null);
});

for (const [what, change, why] of [
  [
    'tables of another release',
    'alter table avatars add column more text',
    /the tables of avatars\.db are not those of this release/,
  ],
  ['a row of a small table', `update callers set served = 99`, /a row of callers is damaged/],
] as const) {
  t.test(`[A2] sqlite: refused in one line: ${what}`, async (t) => {
    const dir = t.testdir();
    const store = await open(t, dir);
    await create(store, 'av_1');
    await store.close();
    await byHand(dir, (db) => db.exec(change));
    await t.rejects(openSqliteStore({ dir }), refusal(why));
  });
}

t.test('[A2] sqlite: an avatar whose row does not fit its checksum is never submitted', async (t) => {
  const dir = t.testdir();
  const store = await open(t, dir);
  for (const id of ['av_1', 'av_2', 'av_3']) await create(store, id);
  await store.close();
  await byHand(dir, (db) => db.exec(`update avatars set attempt = 1 where id = 'av_1'`));
  const again = await open(t, dir);
  t.same(again.health(), { corruptRecords: 1 }, 'it is counted at the start');
  await t.rejects(again.find(CALLER, 'av_1'), CorruptRecordError);
  t.same(
    (await beginFirst(again, 9)).map(({ avatar }) => avatar.id),
    ['av_2', 'av_3'],
  );
});
