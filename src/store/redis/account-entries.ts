/**
 * Entries of accounts: what a caller spent in a month, by day and mode. An entry of one, named `28 std`, has eight whole
 * numbers: avatars, milliseconds and units reserved, then the same settled, and of those the units by the price and billed.
 */

import { type Avatar, isFinal, type Mode } from '../../domain/avatar.js';
import { type Amount, type DayOfUse, dayOf, settledUnits, spendStateOf } from '../../domain/spend.js';
import type { Admission } from '../store.js';

const MODES: readonly Mode[] = ['std', 'pro'];
/** Of an entry. */
const NUMBERS = 8;

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

/** What an avatar adds to the numbers of its entry, up to the last that is not 0. */
export function numbersOf({ status, spend }: Pick<Avatar, 'status' | 'spend'>): readonly number[] {
  const state = spendStateOf({ status, spend });
  if (spend === null || state === 'released') return [];
  const { durationMs, units } = (state === 'settled' ? spend.settled : null) ?? spend.reserved;
  if (state === 'reserved') return [1, durationMs, units];
  return [0, 0, 0, 1, durationMs, settledUnits(spend), units, spend.billed ?? 0];
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
      const [estimated = 0, billed = 0] = sums.slice(6);
      const settled = { ...amountOf(sums.slice(3)), estimated, billed };
      return { caller, date: `${month}-${day}`, mode, reserved: amountOf(sums), settled };
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
