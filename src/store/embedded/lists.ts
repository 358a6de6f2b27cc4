import { STATUSES } from '../../domain/avatar.js';
import { callerDigest, externalDigest } from '../digests.js';
import { idIn, pageOf } from '../pages.js';
import { CorruptRecordError } from '../record.js';
import type { Found, ListQuery, Page } from '../store.js';
import type { Engine } from './engine.js';
import { externalIndex, listIndex } from './keys.js';
import { readRecord } from './records.js';

/** Avatars of a caller, a page. @throws StoreUnavailableError */
export async function list(engine: Engine, caller: string, query: ListQuery): Promise<Page> {
  await engine.ready();
  const indexes = indexesOf(callerDigest(caller), query);
  return pageOf(
    query,
    // At one moment, since an avatar that goes from one index to another would be in neither, or in both.
    ({ gt, lt }, limit) =>
      engine.disk.view((view) =>
        Promise.all(
          indexes.map(async (index) => {
            const range = { gt: index + gt, lt: index + lt, reverse: true, limit };
            return (await view.keys(range)).map((key) => key.slice(index.length));
          }),
        ),
      ),
    (entries) => look(engine, caller, indexes, entries),
  );
}

function indexesOf(caller: string, { statuses, externalId }: ListQuery): string[] {
  if (externalId !== null) return [externalIndex(caller, externalDigest(externalId))];
  return STATUSES.filter((status) => statuses?.includes(status) ?? true).map((status) =>
    listIndex(caller, status),
  );
}

/** What is behind the entries now, on disk or on its way there. */
function look(
  engine: Engine,
  caller: string,
  indexes: readonly string[],
  entries: readonly string[],
): Promise<(Found | null)[]> {
  return engine.transact((tx) =>
    entries.map((entry) => {
      const id = idIn(entry);
      const found = readRecord(tx, id);
      if (found === null || found instanceof CorruptRecordError) {
        for (const index of indexes) tx.del(index + entry);
        if (found !== null) engine.setAside(tx, id);
      }
      if (found === null || found instanceof Error || found.avatar.caller !== caller) return null;
      const { avatar, meta } = found;
      return { avatar, version: meta.version, now: engine.now(), ahead: engine.queue.ahead(id) };
    }),
  );
}
