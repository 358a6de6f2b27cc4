import { type Amount, UNITS_A_DOLLAR } from '../domain/spend.js';
import { type CapUse, total, type Usage } from '../gateway/usage.js';
import type { UsageView } from './schemas/usage.js';

/** What was spent, as a caller sees it. */
export function usageView({ from, to, days, caps }: Usage): UsageView {
  return {
    from,
    to,
    currency: 'USD',
    data: days.map(({ reserved, settled, ...of }) => ({
      ...of,
      reserved: amountView(reserved),
      settled: amountView(settled),
    })),
    total: {
      reserved: amountView(total(days.map(({ reserved }) => reserved))),
      settled: amountView(total(days.map(({ settled }) => settled))),
    },
    caps: { day: capView(caps.day), month: capView(caps.month) },
  };
}

function amountView({ avatars, durationMs, units }: Amount): UsageView['total']['reserved'] {
  return { avatars, seconds: durationMs / 1000, usd: units / UNITS_A_DOLLAR };
}

function capView(use: CapUse | null): UsageView['caps']['day'] {
  return (
    use && {
      usd: use.cap / UNITS_A_DOLLAR,
      used_usd: use.used / UNITS_A_DOLLAR,
      left_usd: Math.max(0, use.cap - use.used) / UNITS_A_DOLLAR,
      resets_at: new Date(use.resetsAt).toISOString(),
    }
  );
}
