/**
 * Entries of accounts: what a caller spent in a month, by day and mode. An entry of one, named `28 std`, has six whole
 * numbers: avatars, milliseconds and units reserved, then the same settled.
 */

import { type Avatar, isFinal, type Mode, type Spend } from '../../domain/avatar.js';
import { type Amount, type DayOfUse, dayOf, type SpendState } from '../../domain/spend.js';
import type { Admission } from '../store.js';

/** Where the numbers of a state begin in an entry; what was released is not counted. */
export const BEGINS: Readonly<Record<SpendState, 0 | 3 | null>> = { reserved: 0, settled: 3, released: null };
const MODES: readonly Mode[] = ['std', 'pro'];
/** Of an entry. */
const NUMBERS = 6;

/** Where an avatar is counted: the day on which it was accepted. */
export function placeOf({ createdAt, mode }: Pick<Avatar, 'createdAt' | 'mode'>) {
  const date = dayOf(createdAt);
  const day = date.slice(8);
  return { month: monthOf(date), day, entry: `${day} ${mode}` };
}

function monthOf(date: string): string {
  return date.slice(0, 7);
}

/** All months from one day to another. */
export function monthsOf(from: string, to: string): string[] {
  const months: string[] = [];
  for (
    let at = new Date(`${monthOf(from)}-01`);
    dayOf(at.getTime()) <= to;
    at.setUTCMonth(at.getUTCMonth() + 1)
  ) {
    months.push(monthOf(dayOf(at.getTime())));
  }
  return months;
}

/** The names of all entries that a month can have from one day to another. */
export function entriesOf(month: string, from: string, to: string): string[] {
  const days = Array.from({ length: 31 }, (_, i) => String(i + 1).padStart(2, '0'));
  return days
    .filter((day) => from <= `${month}-${day}` && `${month}-${day}` <= to)
    .flatMap((day) => MODES.map((mode) => `${day} ${mode}`));
}

/** What it adds to an entry in either state. */
export function costsOf({ reserved, settled }: Spend): readonly number[] {
  return [reserved, settled ?? reserved].flatMap(({ durationMs, units }) => [1, durationMs, units]);
}

/** How many unfinished avatars its caller may have where this one is to be among them; `null`: any number. */
export function maxUnfinishedFor({ status }: Avatar, { maxUnfinished = null }: Admission): number | null {
  return isFinal(status) ? null : maxUnfinished;
}

/** The rows of entries, without those that count nothing. */
export function rowsOf(
  caller: string,
  month: string,
  entries: Iterable<readonly [string, readonly number[]]>,
): DayOfUse[] {
  return Array.from(entries)
    .filter(([, sums]) => sums.length === NUMBERS && sums.some((sum) => sum !== 0))
    .map(([entry, sums]) => {
      const [day, mode] = entry.split(' ') as [string, Mode];
      const [reserved, settled] = [amountOf(sums.slice(0, 3)), amountOf(sums.slice(3))];
      return { caller, date: `${month}-${day}`, mode, reserved, settled };
    });
}

/** By caller, day and mode. */
export function inOrder(rows: readonly DayOfUse[]): DayOfUse[] {
  const name = ({ caller, date, mode }: DayOfUse) => [caller, date, mode];
  return rows.toSorted((a, b) => compare(name(a), name(b)));
}

function compare(a: readonly string[], b: readonly string[]): number {
  const i = a.findIndex((part, i) => part !== b[i]);
  return i < 0 ? 0 : String(a[i]) < String(b[i]) ? -1 : 1;
}

function amountOf([avatars = 0, durationMs = 0, units = 0]: readonly number[]): Amount {
  return { avatars, durationMs, units };
}
