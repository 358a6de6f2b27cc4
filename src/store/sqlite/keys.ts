/** Slots and calls of the keys to Modellix. */

import type { CallTerms, SubmitTerms } from '../store.js';
import { type CallState, OUTDATED, submitRoom, tookSubmit } from './calls.js';
import type { Context } from './context.js';
import type { Database } from './database.js';
import { readRows, type Table, writeRow } from './rows.js';

interface KeyRow {
  readonly id: string;
  readonly tat: number;
  readonly submits_in_a_row: number;
}

export const KEYS: Table<KeyRow> = { name: 'keys', keys: ['id'], columns: ['id', 'tat', 'submits_in_a_row'] };
/** Parts of a millisecond in which a `tat` is kept: as exact as a number of this size is. */
const TICKS = 4096;

export function readCalls(db: Database, keyId: string): CallState {
  const found = readRows(db, KEYS, 'id = ?', [keyId])[0];
  return { tat: (found?.tat ?? 0) / TICKS, submitsInARow: found?.submits_in_a_row ?? 0 };
}

export function writeCalls(db: Database, keyId: string, { tat, submitsInARow }: CallState): void {
  writeRow(db, KEYS, { id: keyId, tat: Math.round(tat * TICKS), submits_in_a_row: submitsInARow });
}

/** Forgets keys that were last used before a moment, and are as new. */
export function forgetCalls(db: Database, before: number): void {
  db.sql('delete from keys where tat < ?').run([before * TICKS]);
}

/** Whether the document that terms follow from was changed since. */
export function isOutdated(db: Database, { asOf }: CallTerms): boolean {
  if (asOf === undefined) return false;
  const [revision = 0] = db.sql('select revision from documents where name = ?').get([asOf.document]) ?? [];
  return Number(revision) !== asOf.revision;
}

/** How many slots of a key are held. */
export function slotsOf({ db, now }: Context, keyId: string): number {
  const text = 'select count(*) from avatars where key_id = ? and slot_until > ? and slot_until is not null';
  return Number(db.sql(text).get([keyId, now])?.[0]);
}

/** Keys that submits are begun with, one after the other. */
export class KeyTurns {
  readonly #cx: Context;
  readonly #keys: {
    readonly terms: SubmitTerms;
    free: number;
    calls: CallState;
    readonly pollWaits: boolean;
    readonly isOutdated: boolean;
  }[];

  constructor(cx: Context, keys: readonly SubmitTerms[]) {
    const due = 'select 1 from avatars where due_key = ? and due <= ? limit 1';
    this.#cx = cx;
    this.#keys = keys.map((terms) => ({
      terms,
      free: terms.slots - slotsOf(cx, terms.keyId),
      calls: readCalls(cx.db, terms.keyId),
      pollWaits: cx.db.sql(due).get([terms.keyId, cx.now]) !== undefined,
      isOutdated: isOutdated(cx.db, terms.calls),
    }));
  }

  /** Takes a slot and a call, of the key with the most free slots. `waitMs`: until there is a call; `null` without a slot. */
  take(): { readonly keyId: string } | { readonly waitMs: number | null } {
    const { now, db } = this.#cx;
    let waitMs: number | null = null;
    for (const key of this.#keys.filter(({ free }) => free > 0).sort((a, b) => b.free - a.free)) {
      const { terms, calls, pollWaits } = key;
      const room = key.isOutdated ? OUTDATED : submitRoom(calls, terms.calls, now, pollWaits);
      if (room.room > 0) {
        key.free -= 1;
        key.calls = tookSubmit(calls, terms.calls, now, pollWaits);
        writeCalls(db, terms.keyId, key.calls);
        return { keyId: terms.keyId };
      }
      waitMs = Math.min(waitMs ?? room.waitMs, room.waitMs);
    }
    return { waitMs };
  }
}
