/** What the thread of the store can be asked: each is one synchronous function, and all that is written in it is one change. */

import type { Context } from './context.js';
import { callers, feed, find, keyIds, list, outlook, submission, use } from './reads.js';
import { asDamaged, readAvatar } from './rows.js';
import { claim, due, remove, save, takeCall } from './saves.js';
import { admit, begin, check } from './submits.js';

function document({ tables, now }: Context, name: string) {
  const found = tables.documents.get(name);
  return { value: found?.value ?? null, revision: found?.revision ?? 0, now };
}

function swap(cx: Context, name: string, revision: number, value: string) {
  const found = document(cx, name);
  if (found.revision !== revision) return { ...found, swapped: false };
  cx.tables.documents.put({ name, revision: revision + 1, value });
  return { value, revision: revision + 1, now: cx.now, swapped: true };
}

/** Moves an avatar out of the way whose document is none, though it is as it was written. */
function quarantine(cx: Context, id: string): void {
  const found = readAvatar(cx.db, 'id = ?', [id]);
  if (found !== null) cx.quarantine('damaged' in found ? found : asDamaged(found));
}

export const operations = {
  ...{ admit, begin, check, claim, due, takeCall, save, remove, quarantine },
  ...{ find, list, feed, use, callers, submission, outlook, keyIds, document, swap },
  ping: (cx: Context) => cx.writes(),
};

export type Operations = typeof operations;
