/** What callers spent: rows by caller, day and mode. */

import type { Mode, Status } from '../../domain/avatar.js';
import { type DayOfUse, dayOf, isReserved, type Spent } from '../../domain/spend.js';
import { USE_MS } from '../store.js';
import type { Database } from './database.js';
import { type AccountRow, SUMS, type Sum, type Table } from './tables.js';

type Accounts = Table<AccountRow>;

/** What is counted for an avatar. */
export interface Counted {
  readonly caller: string;
  readonly created: number;
  readonly mode: string;
  readonly status: Status;
  readonly cost_ms: number | null;
  readonly cost_units: number | null;
  readonly cost_billed: number | null;
}

/** Counts an avatar as it is now, instead of as it was; `null`: as nothing. */
export function countCost(accounts: Accounts, before: Counted | null, after: Counted | null): void {
  const [from, to] = [sumsOf(before), sumsOf(after)];
  const row = after ?? before;
  if (row === null || SUMS.every((name) => from?.[name] === to?.[name])) return;
  const key = [row.caller, dayOf(row.created), row.mode] as const;
  const found = accounts.get(...key);
  // What was counted so long ago that it is forgotten is not taken back either.
  if (found === null && from !== null) return;
  const [caller, day, mode] = key;
  const entry = found ?? { caller, day, mode, ...NOTHING };
  add(entry, from, -1);
  add(entry, to, 1);
  accounts.put(entry);
}

const NOTHING = Object.fromEntries(SUMS.map((name) => [name, 0])) as Record<Sum, number>;

type Sums = Readonly<Partial<Record<Sum, number>>>;

/** What an avatar adds to its account; one whose money was released has no cost. */
function sumsOf(row: Counted | null): Sums | null {
  if (row === null || row.cost_ms === null || row.cost_units === null) return null;
  const { status, cost_ms, cost_units, cost_billed } = row;
  if (isReserved(status)) return { reserved_avatars: 1, reserved_ms: cost_ms, reserved_units: cost_units };
  return {
    settled_avatars: 1,
    settled_ms: cost_ms,
    settled_units: cost_billed ?? cost_units,
    settled_estimated: cost_units,
    settled_billed: cost_billed ?? 0,
  };
}

function add(row: AccountRow, sums: Sums | null, sign: 1 | -1): void {
  for (const name of SUMS) row[name] += sign * (sums?.[name] ?? 0);
}

/** What a caller spent on the day and in the month of a moment, in units. */
export function spentAt(accounts: Accounts, caller: string, ms: number): Spent {
  const day = dayOf(ms);
  const month = day.slice(0, 7);
  const rows = accounts.select('caller = ? and day between ? and ?', [caller, month, `${month}-99`]);
  const units = (rows: readonly AccountRow[]) =>
    rows.reduce((sum, { reserved_units, settled_units }) => sum + reserved_units + settled_units, 0);
  return { day: units(rows.filter((row) => row.day === day)), month: units(rows) };
}

/** @param caller `null`: of everyone */
export function use(accounts: Accounts, caller: string | null, from: string, to: string): DayOfUse[] {
  const order = 'day between ? and ? order by caller, day, mode';
  const rows =
    caller === null
      ? accounts.select(order, [from, to])
      : accounts.select(`caller = ? and ${order}`, [caller, from, to]);
  const amount = (avatars: number, durationMs: number, units: number) => ({ avatars, durationMs, units });
  return rows
    .map((row) => ({
      caller: row.caller,
      date: row.day,
      mode: row.mode as Mode,
      reserved: amount(row.reserved_avatars, row.reserved_ms, row.reserved_units),
      settled: {
        ...amount(row.settled_avatars, row.settled_ms, row.settled_units),
        estimated: row.settled_estimated,
        billed: row.settled_billed,
      },
    }))
    .filter(({ reserved, settled }) => reserved.avatars + settled.avatars > 0);
}

/** Removes what need not be known any more, by whole months. */
export function forgetAccounts(db: Database, now: number): void {
  db.sql('delete from accounts where day < ?').run([dayOf(now - USE_MS).slice(0, 7)]);
}
