/** What callers spent: rows by caller, day and mode. */

import type { Mode, Status } from '../../domain/avatar.js';
import { type DayOfUse, dayOf, type Spent, spendStateOf } from '../../domain/spend.js';
import { USE_MS } from '../store.js';
import type { Database } from './database.js';
import { readRows, type Table, writeRow } from './rows.js';

interface AccountRow {
  readonly caller: string;
  readonly day: string;
  readonly mode: string;
  readonly reserved_avatars: number;
  readonly reserved_ms: number;
  readonly reserved_units: number;
  readonly settled_avatars: number;
  readonly settled_ms: number;
  readonly settled_units: number;
}

export const ACCOUNTS: Table<AccountRow> = {
  name: 'accounts',
  keys: ['caller', 'day', 'mode'],
  columns: [
    ...(['caller', 'day', 'mode', 'reserved_avatars', 'reserved_ms', 'reserved_units'] as const),
    ...(['settled_avatars', 'settled_ms', 'settled_units'] as const),
  ],
};

/** What is counted for an avatar. */
export interface Counted {
  readonly caller: string;
  readonly created: number;
  readonly mode: string;
  readonly status: Status;
  readonly cost_ms: number | null;
  readonly cost_units: number | null;
}

/** Counts an avatar as it is now, instead of as it was; `null`: as nothing. */
export function countCost(db: Database, before: Counted | null, after: Counted | null): void {
  const [from, to] = [costOf(before), costOf(after)];
  const row = after ?? before;
  if (row === null || (from?.state === to?.state && from?.ms === to?.ms && from?.units === to?.units)) return;
  const key = [row.caller, dayOf(row.created), row.mode] as const;
  const found = readRows(db, ACCOUNTS, 'caller = ? and day = ? and mode = ?', [...key])[0];
  // What was counted so long ago that it is forgotten is not taken back either.
  if (found === undefined && from !== null) return;
  const [caller, day, mode] = key;
  const next: AccountRow = {
    ...{ caller, day, mode, reserved_avatars: 0, reserved_ms: 0, reserved_units: 0 },
    ...{ settled_avatars: 0, settled_ms: 0, settled_units: 0 },
    ...found,
  };
  writeRow(db, ACCOUNTS, added(added(next, from, -1), to, 1));
}

interface Cost {
  readonly state: 'reserved' | 'settled';
  readonly ms: number;
  readonly units: number;
}

function costOf(row: Counted | null): Cost | null {
  if (row === null || row.cost_ms === null || row.cost_units === null) return null;
  const state = spendStateOf(row.status);
  return state === 'released' ? null : { state, ms: row.cost_ms, units: row.cost_units };
}

function added(row: AccountRow, cost: Cost | null, sign: 1 | -1): AccountRow {
  if (cost === null) return row;
  const { state, ms, units } = cost;
  return {
    ...row,
    [`${state}_avatars`]: row[`${state}_avatars`] + sign,
    [`${state}_ms`]: row[`${state}_ms`] + sign * ms,
    [`${state}_units`]: row[`${state}_units`] + sign * units,
  };
}

/** What a caller spent on the day and in the month of a moment, in units. */
export function spentAt(db: Database, caller: string, ms: number): Spent {
  const day = dayOf(ms);
  const text = `select coalesce(sum(reserved_units + settled_units) filter (where day = ?2), 0),
    coalesce(sum(reserved_units + settled_units), 0) from accounts where caller = ?1 and day between ?3 and ?4`;
  const month = day.slice(0, 7);
  const [onDay, inMonth] = db.sql(text).get([caller, day, month, `${month}-99`]) ?? [];
  return { day: Number(onDay), month: Number(inMonth) };
}

/** @param caller `null`: of everyone */
export function use(db: Database, caller: string | null, from: string, to: string): DayOfUse[] {
  const order = 'day between ? and ? order by caller, day, mode';
  const rows =
    caller === null
      ? readRows(db, ACCOUNTS, order, [from, to])
      : readRows(db, ACCOUNTS, `caller = ? and ${order}`, [caller, from, to]);
  const amount = (avatars: number, durationMs: number, units: number) => ({ avatars, durationMs, units });
  return rows
    .map((row) => ({
      caller: row.caller,
      date: row.day,
      mode: row.mode as Mode,
      reserved: amount(row.reserved_avatars, row.reserved_ms, row.reserved_units),
      settled: amount(row.settled_avatars, row.settled_ms, row.settled_units),
    }))
    .filter(({ reserved, settled }) => reserved.avatars + settled.avatars > 0);
}

/** Removes what need not be known any more, by whole months. */
export function forgetAccounts(db: Database, now: number): void {
  db.sql('delete from accounts where day < ?').run([dayOf(now - USE_MS).slice(0, 7)]);
}
