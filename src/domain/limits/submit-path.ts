/**
 * Which form of the path submits go by. Modellix has moved it before (contract, "Submit"). A form that it says it has no route for
 * made no task, so the next submit goes by the next form. Where it has none of them, submits are held, and one is tried behind
 * a growing pause, each time by the form that was tried longest ago. Times are in ms.
 */

import { afterFailure, type Breaker, type BreakerRule, CLOSED, dropTry, isOpen } from './breaker.js';
import type { Signal } from './budget.js';

export interface SubmitPaths {
  /** Forms that Modellix has no route for, the one that was tried longest ago first. */
  readonly gone: readonly string[];
  /** Counts only where no form is left. */
  readonly breaker: Breaker;
}

/** What the answer to a submit changed: another form is used; there is none; there is one again. */
export type PathChange = 'moved' | 'held' | 'found';

/** More than one gateway has: others may be started with a list of their own. */
const MOST_GONE = 20;
/** Each try is free, and finds out about one form only, so the pauses stay short. */
export const PATHS: BreakerRule = {
  threshold: 1,
  pauseMs: 2_000,
  longestPauseMs: 60_000,
  tryMs: 20_000,
};

export const NO_PATH_GONE: SubmitPaths = { gone: [], breaker: CLOSED };

/** @param forms what is configured, one at least */
export function pathOf({ gone }: SubmitPaths, forms: readonly string[]): string {
  const path = forms.find((form) => !gone.includes(form)) ?? gone.find((form) => forms.includes(form));
  if (path === undefined) throw new TypeError('there is no form of the path');
  return path;
}

/** Whether Modellix has no route for any form. */
export function isHeld({ gone, breaker }: SubmitPaths, forms: readonly string[]): boolean {
  return isOpen(breaker) && forms.every((form) => gone.includes(form));
}

/**
 * What is known after the answer to a submit; the same value where it said nothing new. One that was accepted, or refused for a
 * reason of its own, shows that its path is there.
 */
export function afterPath(
  paths: SubmitPaths,
  path: string,
  said: Signal['kind'],
  forms: readonly string[],
  now: number,
  random: number,
): SubmitPaths {
  const { gone, breaker } = paths;
  const others = gone.filter((form) => form !== path);
  if (said === 'ok') return others.length === gone.length ? paths : { gone: others, breaker: CLOSED };
  if (said !== 'no-route') return dropPathTry(paths, now);
  const wasHeld = isHeld(paths, forms);
  // One that was under way when others found out.
  if (path !== pathOf(paths, forms) || (wasHeld && !breaker.trying)) return paths;
  const next = { gone: [...others, path].slice(-MOST_GONE), breaker };
  if (forms.some((form) => !next.gone.includes(form))) return next;
  return { ...next, breaker: afterFailure(wasHeld ? breaker : CLOSED, PATHS, now, random) };
}

/** The try said nothing of its path: it may be made again at once. The same value where there was none. */
export function dropPathTry(paths: SubmitPaths, now: number): SubmitPaths {
  const breaker = dropTry(paths.breaker, now);
  return breaker === paths.breaker ? paths : { ...paths, breaker };
}

/** `null`: nothing. */
export function pathChange(
  before: SubmitPaths,
  after: SubmitPaths,
  forms: readonly string[],
): PathChange | null {
  if (after.gone === before.gone) return null;
  if (isHeld(after, forms)) return 'held';
  if (isHeld(before, forms)) return 'found';
  return pathOf(after, forms) === pathOf(before, forms) ? null : 'moved';
}
