import { STATUSES } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import { callerDigest, externalDigest } from '../digests.js';
import { type EntryRange, idIn, type Listed, merged, pageOf } from '../pages.js';
import { CorruptRecordError } from '../record.js';
import type { Found, ListQuery, Page } from '../store.js';
import type { Engine } from './engine.js';
import { externalIndex, listIndex, rangeOf } from './keys.js';
import type { View } from './level.js';
import { readRecordOf } from './records.js';

/** `caller`: in whose indexes it stands, by its digest. */
interface OwnedEntry extends Listed {
  readonly caller: string;
}

/** Avatars within a scope, a page. @throws StoreUnavailableError */
export async function list(engine: Engine, scope: Scope, query: ListQuery): Promise<Page> {
  await engine.ready();
  return pageOf(
    query,
    // At one moment, since an avatar that goes from one index to another would be in neither, or in both.
    (range, limit) =>
      engine.disk.view((view) =>
        scope === EVERYONE
          ? all(view, query, range, limit)
          : read(view, callerDigest(scope), query, range, limit),
      ),
    (entries) => look(engine, query, entries),
  );
}

/** The newest entries of a caller, index by index. */
function read(
  view: View,
  caller: string,
  query: ListQuery,
  { gt, lt }: EntryRange,
  limit: number,
): Promise<OwnedEntry[][]> {
  return Promise.all(
    indexesOf(caller, query).map(async (index) => {
      const range = { gt: index + gt, lt: index + lt, reverse: true, limit };
      return (await view.keys(range)).map((key) => ({ caller, entry: key.slice(index.length) }));
    }),
  );
}

/** The newest entries of all callers. What is older than as many as are wanted is not looked at. */
async function all(
  view: View,
  query: ListQuery,
  { gt, lt }: EntryRange,
  limit: number,
): Promise<OwnedEntry[][]> {
  let newest: OwnedEntry[] = [];
  for (const ends of await view.keys(rangeOf('feeds!'))) {
    const oldest = newest.length < limit ? gt : (newest.at(-1)?.entry ?? gt);
    const found = await read(view, ends.slice('feeds!'.length), query, { gt: oldest, lt }, limit);
    newest = merged([newest, ...found], limit);
  }
  return [newest];
}

function indexesOf(caller: string, { statuses, externalId }: ListQuery): string[] {
  if (externalId !== null) return [externalIndex(caller, externalDigest(externalId))];
  return STATUSES.filter((status) => statuses?.includes(status) ?? true).map((status) =>
    listIndex(caller, status),
  );
}

/** What is behind the entries now, on disk or on its way there. */
function look(engine: Engine, query: ListQuery, entries: readonly OwnedEntry[]): Promise<(Found | null)[]> {
  return engine.transact((tx) =>
    entries.map(({ caller, entry }) => {
      const id = idIn(entry);
      const found = readRecordOf(tx, caller, id);
      if (found === null || found instanceof CorruptRecordError) {
        for (const index of indexesOf(caller, query)) tx.del(index + entry);
        if (found !== null) engine.setAside(tx, id);
      }
      if (found === null || found instanceof Error) return null;
      const { avatar, meta } = found;
      return { avatar, version: meta.version, now: engine.now(), ahead: engine.queue.ahead(id) };
    }),
  );
}
