/** How fast the queue drains: the mean gap between submits, recent ones counting most. */

export interface Drain {
  readonly lastAt: number | null;
  readonly gaps: number;
  /** `null` until there was a gap. */
  readonly gapMs: number | null;
}

/** The least that a new gap counts in the mean; the first few count alike. */
const WEIGHT = 0.1;
/** Submits come in bursts, as many as there are slots. Not until this many gaps' time went by has the queue slowed. */
const BURST_GAPS = 4;
const UNKNOWN_MS = 30_000;

export function newDrain(): Drain {
  return { lastAt: null, gaps: 0, gapMs: null };
}

/**
 * Another avatar left the queue for Modellix. How long ago the one before it left tells something only where it was
 * waiting by then: otherwise the queue was empty, not slow.
 */
export function admitted({ lastAt, gaps, gapMs }: Drain, queuedSince: number, now: number): Drain {
  if (lastAt === null || queuedSince > lastAt) return { lastAt: now, gaps, gapMs };
  const mean = gapMs ?? 0;
  const gap = Math.max(0, now - lastAt);
  const weight = Math.max(WEIGHT, 1 / (gaps + 1));
  return {
    lastAt: now,
    gaps: Math.min(gaps + 1, 1 / WEIGHT),
    gapMs: Math.round(mean + weight * (gap - mean)),
  };
}

/** When an avatar with `ahead` before it may leave, in ms from now; `null` where nothing is known yet. */
export function startInMs({ gapMs, lastAt }: Drain, ahead: number, now: number): number | null {
  if (gapMs === null || lastAt === null) return null;
  const sinceMs = Math.max(0, now - lastAt);
  const slowMs = Math.max(gapMs, sinceMs / BURST_GAPS);
  return Math.round((ahead + 1) * slowMs - Math.min(sinceMs, slowMs / 2));
}

/** When there may be room in a full queue: after the next one left, from a second to ten minutes. */
export function retryAfterMs(drain: Drain, now: number): number {
  return Math.min(600_000, Math.max(1_000, startInMs(drain, 0, now) ?? UNKNOWN_MS));
}
