/** What avatars cost their callers. Money is counted in units of a micro-dollar, and is whole: sums are exact. */

import type { Avatar, Cost, Mode, Spend, Status } from './avatar.js';

/** Units in a US dollar. */
export const UNITS_A_DOLLAR = 1_000_000;

/** No avatar costs as much, by far: what says so is no amount. */
const MOST_BILLED = 1_000 * UNITS_A_DOLLAR;

/** The most that a caller may spend, in units; `null`: any amount. Days and months are those of UTC. */
export interface SpendCaps {
  readonly day: number | null;
  readonly month: number | null;
}

export const NO_CAPS: SpendCaps = Object.freeze({ day: null, month: null });

/** What several avatars cost together. */
export interface Amount extends Cost {
  readonly avatars: number;
}

/** The same where it is known: `units` are what was billed, and where that was not said, what it comes to by the price. */
export interface SettledAmount extends Amount {
  /** By the price, of all of them. */
  readonly estimated: number;
  /** What Modellix said that it billed, of those of which it did. */
  readonly billed: number;
}

/** What became of an avatar's money. */
export type SpendState = 'reserved' | 'settled' | 'released';

const STATES: Readonly<Record<Status, SpendState>> = {
  queued: 'reserved',
  submitting: 'reserved',
  pending: 'reserved',
  processing: 'reserved',
  succeeded: 'settled',
  failed: 'released',
  canceled: 'released',
  // Modellix may have made these, and may bill them: nobody here knows.
  unconfirmed: 'reserved',
  timed_out: 'reserved',
};

/** An avatar's status says what became of its money; but what was billed was spent, whatever came of it. */
export function spendStateOf({ status, spend }: Pick<Avatar, 'status' | 'spend'>): SpendState {
  const state = STATES[status];
  return state === 'released' && spend !== null && spend.billed !== null ? 'settled' : state;
}

/** Whether the money of an avatar is held, for as long as it is not known what it costs. */
export function isReserved(status: Status): boolean {
  return STATES[status] === 'reserved';
}

/** What counts for an avatar once it is settled, in units. */
export function settledUnits({ reserved, settled, billed }: Spend): number {
  return billed ?? (settled ?? reserved).units;
}

/**
 * An amount of US dollars as Modellix writes it, `0.2400`, in units: the decimals beyond are rounded, halves up. `null` where it is in
 * another form, or more than any avatar costs.
 */
export function unitsIn(amount: string): number | null {
  const [, dollars, decimals = ''] = /^(\d{1,9})(?:\.(\d{1,20}))?$/.exec(amount) ?? [];
  if (dollars === undefined) return null;
  const digits = decimals.padEnd(7, '0');
  const units = Number(dollars + digits.slice(0, 6)) + (Number(digits[6]) >= 5 ? 1 : 0);
  return units <= MOST_BILLED ? units : null;
}

/** What a caller spent on a day, by mode. It is the day on which the avatars were accepted, whenever they ended. */
export interface DayOfUse {
  readonly caller: string;
  /** `2026-11-28`, of UTC. */
  readonly date: string;
  readonly mode: Mode;
  readonly reserved: Amount;
  readonly settled: SettledAmount;
}

/** What was spent on the day and in the month of an avatar, itself among it: reserved and settled, in units. */
export interface Spent {
  readonly day: number;
  readonly month: number;
}

/** The day of a moment, as `2026-11-28`; the month is its first seven characters. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** When the day of a moment is over, in ms since the epoch. */
export function nextDay(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
}

/** When the month of a moment is over. */
export function nextMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
