import type { Scope } from '../../domain/caller.js';
import { type DayOfUse, dayOf, nextDay, nextMonth, type SpendCaps } from '../../domain/spend.js';
import type { Ports } from '../ports.js';

/** Days as `2026-11-28`, of UTC, both included; `null`: from the first of this month, until today. */
export interface UsageQuery {
  readonly from: string | null;
  readonly to: string | null;
}

/** How a caller stands with one of its caps. Money in the units of `spend.ts`. */
export interface CapUse {
  readonly cap: number;
  /** Reserved and settled. */
  readonly used: number;
  /** When the next period begins. */
  readonly resetsAt: number;
}

export interface Usage {
  readonly from: string;
  readonly to: string;
  readonly days: readonly DayOfUse[];
  /** `null` where there is no cap, and where more than one caller is looked at. */
  readonly caps: Readonly<Record<keyof SpendCaps, CapUse | null>>;
}

/** What was spent within a scope, and where a single caller stands with its caps. @throws {StoreUnavailableError} */
export async function usage(
  { store, limits, callers }: Pick<Ports, 'store' | 'limits' | 'callers'>,
  scope: Scope,
  query: UsageQuery,
): Promise<Usage> {
  const now = await limits.storeNow();
  const today = dayOf(now);
  const firstOfMonth = `${today.slice(0, 7)}-01`;
  const to = query.to ?? today;
  const from = query.from ?? `${to.slice(0, 7)}-01`;
  const [days, thisMonth] = await Promise.all([
    store.use(scope, from, to),
    store.use(scope, firstOfMonth, today),
  ]);
  const caps = typeof scope === 'string' ? callers?.find(scope)?.caps : undefined;
  const capUse = (cap: number | null | undefined, of: readonly DayOfUse[], resetsAt: number) =>
    cap == null ? null : { cap, used: of.reduce((sum, day) => sum + unitsOf(day), 0), resetsAt };
  return {
    from,
    to,
    days,
    caps: {
      day: capUse(
        caps?.day,
        thisMonth.filter(({ date }) => date === today),
        nextDay(now),
      ),
      month: capUse(caps?.month, thisMonth, nextMonth(now)),
    },
  };
}

/** What amounts have of something together. */
export function sum<Name extends string>(
  amounts: readonly Readonly<Record<Name, number>>[],
  name: Name,
): number {
  return amounts.reduce((all, each) => all + each[name], 0);
}

function unitsOf({ reserved, settled }: DayOfUse): number {
  return reserved.units + settled.units;
}
