/** What a caller may have made, and what it hears where it may not. */

import type { Avatar, Mode } from '../../domain/avatar.js';
import type { Caller } from '../../domain/caller.js';
import { nextDay, nextMonth, type Spent, UNITS_A_DOLLAR } from '../../domain/spend.js';
import { ProblemError } from '../../problems.js';
import type { CallerLimitError } from '../../store/store.js';
import type { Ports } from '../ports.js';

/** The share of a cap that is worth a warning once it is spent. */
const WARN_AT = 0.8;

const PERIODS = ['day', 'month'] as const;

/** @throws {ProblemError} `forbidden` where the caller may not ask for this mode */
export function requireMode({ modes }: Caller, mode: Mode): void {
  if (modes.has(mode)) return;
  const detail = `Your key is not for mode ${mode}, but for ${[...modes].join(' and ')}.`;
  throw new ProblemError('forbidden', detail, {
    errors: [{ pointer: '/mode', detail: 'is not yours to use' }],
  });
}

/** What a caller hears of a limit of its own that its avatar would have passed. */
export function atLimit(
  { limits, counts }: Pick<Ports, 'limits' | 'counts'>,
  caller: Caller,
  { spend, createdAt }: Avatar,
  cause: CallerLimitError,
): ProblemError {
  const { limit } = cause;
  counts.callerLimit(limit);
  if (limit === 'unfinished') {
    const detail = `You may have ${caller.maxUnfinished} unfinished avatars at once, and have them. Nothing was made.`;
    return new ProblemError('too-many-unfinished', detail, { cause, headers: retryAfter(limits.roomInMs()) });
  }
  const cap = caller.caps[limit] ?? 0;
  const over = limit === 'day' ? nextDay(createdAt) : nextMonth(createdAt);
  const detail = `The avatar may cost ${dollars(spend?.reserved.units ?? 0)}, and less than that is left of the ${dollars(cap)} that you may spend in a ${limit}. The ${limit} is over at ${new Date(over).toISOString()}. Nothing was made.`;
  return new ProblemError('spend-cap-reached', detail, { cause, headers: retryAfter(over - createdAt) });
}

/** Tells whoever runs the gateway when a caller has spent most of what it may: by the avatar that takes it there, once. */
export function warnOfSpend(
  { counts, log }: Pick<Ports, 'counts' | 'log'>,
  { name, caps }: Caller,
  { spend }: Avatar,
  spent: Spent | null,
): void {
  for (const period of PERIODS) {
    const cap = caps[period];
    if (cap === null || cap === 0 || spent === null) continue;
    const now = spent[period];
    if (now < cap * WARN_AT || now - (spend?.reserved.units ?? 0) >= cap * WARN_AT) continue;
    counts.spendWarning(period);
    const fields = { caller: name, period, spentUsd: now / UNITS_A_DOLLAR, capUsd: cap / UNITS_A_DOLLAR };
    log.warn(fields, 'a caller has spent most of what it may');
  }
}

function retryAfter(ms: number): Record<string, string> {
  return { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) };
}

function dollars(units: number): string {
  return `${units / UNITS_A_DOLLAR} USD`;
}
