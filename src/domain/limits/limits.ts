/**
 * What all replicas know of Modellix: whether it answers, whether submits come to anything, and what each key may do. It
 * changes rarely, and what may be done now follows from it.
 */

import {
  afterFailure,
  afterSuccess,
  type Breaker,
  CLOSED,
  dropTry,
  isOpen,
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

export interface LimitsState {
  /** Before all calls, by the polls that failed. */
  readonly modellix: Breaker;
  /** Before submits, by those of which it is not known what they came to. */
  readonly submits: Breaker;
  readonly keys: Readonly<Record<string, Learned>>;
}

/** What a call came to: what Modellix said, that it said nothing usable, or that there was no connection. */
export interface CallResult {
  readonly call: 'submit' | 'poll';
  readonly said: Signal | 'failed' | 'unreachable';
}

export interface Call extends CallResult {
  readonly keyId: string;
  readonly headers: RateHeaders;
}

/** What was learned of a key is forgotten where nothing was added for so long: the key may be gone. */
const FORGOTTEN_AFTER_MS = 24 * 3_600_000;

export const NOTHING_KNOWN: LimitsState = { modellix: CLOSED, submits: CLOSED, keys: {} };

export function learnedOf({ keys }: LimitsState, keyId: string): Learned {
  return keys[keyId] ?? NOTHING_LEARNED;
}

/** Those of some keys that may be submitted with now. While submits fail there are none, but for the one try of all. */
export function submitTerms(
  known: LimitsState,
  keyIds: readonly string[],
  now: number,
  limits: KeyLimits,
  hasTry = false,
): Terms[] {
  if (isOpen(known.modellix) || (isOpen(known.submits) && !hasTry)) return [];
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
  { keyId, call, said, headers }: Call,
  now: number,
  random: number,
  limits: KeyLimits,
): LimitsState {
  if (said === 'unreachable') {
    const submits = call === 'submit' ? dropTry(known.submits, now) : known.submits;
    return submits === known.submits ? known : { ...known, submits };
  }
  if (said === 'failed') {
    return call === 'submit'
      ? { ...known, submits: afterFailure(known.submits, SUBMITS, now, random) }
      : { ...known, modellix: afterFailure(known.modellix, MODELLIX, now, random) };
  }
  const before = learnedOf(known, keyId);
  const after = afterReply(before, said, headers, now, limits);
  const modellix = afterSuccess(known.modellix);
  const submits = call === 'submit' ? afterSuccess(known.submits) : known.submits;
  if (after === before && modellix === known.modellix && submits === known.submits) return known;
  const keys = after === before ? known.keys : { ...remembered(known.keys, now), [keyId]: after };
  return { modellix, submits, keys };
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
