/**
 * How many submits a process may have under way at the same time. Each of them is lost if Modellix takes it and never
 * answers, so it begins with few and has one more for each that is answered, as TCP's slow start does (RFC 5681, 3.1),
 * and begins anew after a while without one. Times are in ms.
 */

import { type Breaker, SUBMITS } from './breaker.js';

export interface SubmitWindow {
  readonly answered: number;
  readonly at: number;
}

/** Without one answered: few enough that it is a handful where several processes begin at once. */
const FIRST = 3;
const FORGOTTEN_AFTER_MS = 60_000;

export const NEW_WINDOW: SubmitWindow = { answered: 0, at: 0 };

/** A submit was answered. */
export function widened({ answered, at }: SubmitWindow, now: number): SubmitWindow {
  return { answered: isFresh(at, now) ? answered + 1 : 1, at: now };
}

/** Submits under way at the same time. One where they are held back; fewer where some failed. */
export function mostSubmits(
  { answered, at }: SubmitWindow,
  submits: Breaker,
  areHeld: boolean,
  now: number,
): number {
  if (areHeld) return 1;
  if (submits.failures > 0) return Math.min(FIRST, SUBMITS.threshold - submits.failures);
  return FIRST + (isFresh(at, now) ? answered : 0);
}

function isFresh(at: number, now: number): boolean {
  return Math.abs(now - at) < FORGOTTEN_AFTER_MS;
}
