/**
 * What avatars cost their callers. Money is counted in units of a hundredth of a cent, the four decimals that prices are
 * given with, and is whole: sums are exact.
 */

import type { Cost, Mode, Status } from './avatar.js';

/** Units in a US dollar. */
export const UNITS_A_DOLLAR = 10_000;

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

/** An avatar's status says what became of its money, and nothing else does. */
export function spendStateOf(status: Status): SpendState {
  return STATES[status];
}

/** What a caller spent on a day, by mode. It is the day on which the avatars were accepted, whenever they ended. */
export interface DayOfUse {
  readonly caller: string;
  /** `2026-11-28`, of UTC. */
  readonly date: string;
  readonly mode: Mode;
  readonly reserved: Amount;
  readonly settled: Amount;
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
