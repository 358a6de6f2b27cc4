/**
 * What all replicas know of Modellix: whether it answers, whether submits come to anything, and what each key may do. It
 * changes rarely, and what may be done now follows from it.
 */

import {
  afterFailure,
  afterSuccess,
  type Breaker,
  beginTry,
  CLOSED,
  dropTry,
  isOpen,
  keepTry,
  MODELLIX,
  SUBMITS,
} from './breaker.js';
import {
  afterReply,
  type KeyLimits,
  type Learned,
  NOTHING_LEARNED,
  type RateHeaders,
  type Signal,
  type Terms,
  termsOf,
  waitMs,
} from './budget.js';
import type { Pace } from './call-rate.js';
import { afterPath, dropPathTry, isHeld, NO_PATH_GONE, PATHS, type SubmitPaths } from './submit-path.js';

export interface LimitsState {
  /** Before all calls, by the polls that failed. */
  readonly modellix: Breaker;
  /** Before submits, by those of which it is not known what they came to. */
  readonly submits: Breaker;
  /** Before submits as well, by the path they go by. */
  readonly paths: SubmitPaths;
  readonly keys: Readonly<Record<string, Learned>>;
}

/** What a call came to: what Modellix said, that it said nothing usable, or that there was no connection. */
export type CallResult = {
  readonly said: Signal | 'failed' | 'unreachable';
} & ({ readonly call: 'poll' } | { readonly call: 'submit'; readonly path: string });

export type Call = CallResult & {
  readonly keyId: string;
  readonly headers: RateHeaders;
};

/** What was learned of a key is forgotten where nothing was added for so long: the key may be gone. */
const FORGOTTEN_AFTER_MS = 24 * 3_600_000;

export const NOTHING_KNOWN: LimitsState = {
  modellix: CLOSED,
  submits: CLOSED,
  paths: NO_PATH_GONE,
  keys: {},
};

export function learnedOf({ keys }: LimitsState, keyId: string): Learned {
  return keys[keyId] ?? NOTHING_LEARNED;
}

/** Whether submits are held back, but for the one that is tried. @param forms of their path, as configured */
export function holdsSubmits({ submits, paths }: LimitsState, forms: readonly string[]): boolean {
  return isOpen(submits) || isHeld(paths, forms);
}

/** Takes the one submit of all that may be tried; `null` where it is not due, or another has it. */
export function beginSubmitTry(
  known: LimitsState,
  forms: readonly string[],
  now: number,
): LimitsState | null {
  const { submits, paths } = known;
  if (!holdsSubmits(known, forms)) return null;
  const trying = isOpen(submits) ? beginTry(submits, SUBMITS, now) : submits;
  const breaker = isHeld(paths, forms) ? beginTry(paths.breaker, PATHS, now) : paths.breaker;
  return trying && breaker && { ...known, submits: trying, paths: { ...paths, breaker } };
}

/** The try is still under way. The same value where nobody has to be told yet. */
export function keepSubmitTry(known: LimitsState, now: number): LimitsState {
  const submits = keepTry(known.submits, SUBMITS, now);
  const breaker = keepTry(known.paths.breaker, PATHS, now);
  if (submits === known.submits && breaker === known.paths.breaker) return known;
  return { ...known, submits, paths: { ...known.paths, breaker } };
}

/** The try was not made: another may make it. The same value where there was none. */
export function dropSubmitTry(known: LimitsState, now: number): LimitsState {
  const submits = dropTry(known.submits, now);
  const paths = dropPathTry(known.paths, now);
  return submits === known.submits && paths === known.paths ? known : { ...known, submits, paths };
}

/** Those of some keys that may be submitted with now. While submits are held back there are none, but for the one try of all. */
export function submitTerms(
  known: LimitsState,
  keyIds: readonly string[],
  now: number,
  limits: KeyLimits,
  forms: readonly string[],
  hasTry = false,
): Terms[] {
  if (isOpen(known.modellix) || (holdsSubmits(known, forms) && !hasTry)) return [];
  return keyIds
    .map((keyId) => ({ keyId, learned: learnedOf(known, keyId) }))
    .filter(({ learned }) => waitMs(learned, 'submit', now) === 0)
    .map(({ keyId, learned }) => termsOf(keyId, learned, now, limits));
}

/** How fast a key may be polled with now; `null`: not at all. */
export function pollTerms(known: LimitsState, keyId: string, now: number, limits: KeyLimits): Pace | null {
  const learned = learnedOf(known, keyId);
  if (isOpen(known.modellix) || waitMs(learned, 'poll', now) > 0) return null;
  return termsOf(keyId, learned, now, limits).calls;
}

/** What is known after a call; the same value where it came to nothing new. A call without a connection says nothing. */
export function afterCall(
  known: LimitsState,
  result: Call,
  now: number,
  random: number,
  limits: KeyLimits,
  forms: readonly string[],
): LimitsState {
  const { keyId, call, said, headers } = result;
  if (said === 'unreachable') return call === 'submit' ? dropSubmitTry(known, now) : known;
  if (said === 'failed') {
    if (call === 'poll') return { ...known, modellix: afterFailure(known.modellix, MODELLIX, now, random) };
    const dropped = dropPathTry(known.paths, now);
    return { ...known, submits: afterFailure(known.submits, SUBMITS, now, random), paths: dropped };
  }
  const before = learnedOf(known, keyId);
  const after = afterReply(before, said, headers, now, limits);
  const modellix = afterSuccess(known.modellix);
  const submits = call === 'submit' ? afterSuccess(known.submits) : known.submits;
  const paths =
    call === 'submit' ? afterPath(known.paths, result.path, said.kind, forms, now, random) : known.paths;
  const keys = after === before ? known.keys : { ...remembered(known.keys, now), [keyId]: after };
  const isNews = keys !== known.keys || modellix !== known.modellix || submits !== known.submits;
  return isNews || paths !== known.paths ? { modellix, submits, paths, keys } : known;
}

function remembered(keys: LimitsState['keys'], now: number): LimitsState['keys'] {
  return Object.fromEntries(
    Object.entries(keys).filter(([, { calls, tasks, ...of }]) => {
      const last = Math.max(
        calls?.at ?? 0,
        tasks?.tryAt ?? 0,
        of.pausedUntil,
        of.submitsPausedUntil,
        of.restUntil,
      );
      return now - last < FORGOTTEN_AFTER_MS;
    }),
  );
}
