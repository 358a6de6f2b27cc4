/** What one key may do: calls a minute, unfinished tasks, and the pauses that Modellix asked for. Times are in ms. */

import { giveBackCalls, takeCalls } from './call-rate.js';

export type CallKind = 'submit' | 'poll';

/** What is configured: where a budget starts, and what it never exceeds. */
export interface KeyLimits {
  readonly callsPerMinute: number;
  /** Unfinished tasks at the same time. */
  readonly tasks: number;
}

export interface KeyBudget {
  /** Theoretical arrival time of the calls; see `call-rate.ts`. */
  readonly tatMs: number;
  /** What Modellix is believed to allow, and since when. */
  readonly callsPerMinute: number;
  readonly callsLearnedAt: number;
  readonly tasks: number;
  readonly tasksLearnedAt: number;
  /** No call before this. */
  readonly pausedUntil: number;
  readonly pauses: number;
  /** No submit before this. */
  readonly submitsPausedUntil: number;
  readonly submitPauses: number;
  /** The key was not accepted, or its balance is used up: no submit before this. */
  readonly restUntil: number;
  /** Nor any look: those are refused as well. */
  readonly restsLooks: boolean;
  readonly rests: number;
  /** Submits since the last look, while looks waited. */
  readonly submitsInARow: number;
}

/** Whether calls of the other kind could be made now. */
export interface Rivals {
  readonly submitsWait: boolean;
  readonly pollsWait: boolean;
}

/** What an answer says of the limits. Pauses are what was asked for, `null` where it was not said. */
export type Signal =
  | { readonly kind: 'ok' }
  /** A look was answered, which says nothing of whether a submit would be. */
  | { readonly kind: 'looked' }
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number | null }
  | { readonly kind: 'concurrency'; readonly retryAfterMs: number | null; readonly heldByOthers: number }
  /** `looks`: those are refused, too. */
  | { readonly kind: 'rejected'; readonly looks: boolean };

/** `X-RateLimit-*`, `null` where it was not said. */
export interface RateHeaders {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetInMs: number | null;
}

export interface BudgetState {
  readonly state: 'ok' | 'paused' | 'resting';
  /** When that ends; `null` for `ok`. */
  readonly until: number | null;
}

/** The longest pause that is believed: one further away is taken for a mistake. */
const LONGEST_PAUSE_MS = 600_000;
/** The window of a limit a minute ends within a minute; a reset further away is from a clock that disagrees. */
const LONGEST_WINDOW_MS = 60_000;
const OWN_PAUSE_MS = 2_000;
const LONGEST_OWN_PAUSE_MS = 60_000;
const REST_MS = 30_000;
const LONGEST_REST_MS = 900_000;
/** How long a lower limit is believed before a little more is tried. */
const RAISE_AFTER_MS = 180_000;
const CONFIRM_AFTER_MS = 60_000;
/** Submits in a row after which a look has its turn. */
const MOST_SUBMITS_IN_A_ROW = 4;
/** What looks leave of a burst, so that a look that finds a slot free is followed by a submit at once. */
const LEFT_TO_SUBMITS = 1;

export function newBudget({ callsPerMinute, tasks }: KeyLimits): KeyBudget {
  return {
    tatMs: 0,
    callsPerMinute,
    callsLearnedAt: 0,
    tasks,
    tasksLearnedAt: 0,
    pausedUntil: 0,
    pauses: 0,
    submitsPausedUntil: 0,
    submitPauses: 0,
    restUntil: 0,
    restsLooks: false,
    rests: 0,
    submitsInARow: 0,
  };
}

export function stateOf({ restUntil, pausedUntil }: KeyBudget, now: number): BudgetState {
  if (isAhead(restUntil, now)) return { state: 'resting', until: restUntil };
  if (isAhead(pausedUntil, now)) return { state: 'paused', until: pausedUntil };
  return { state: 'ok', until: null };
}

/**
 * Takes up to `wanted` calls of a kind at `now`. A submit outranks a look: while submits could be made, looks get every
 * fifth call, and then it is theirs before the next submit's.
 */
export function take(
  budget: KeyBudget,
  kind: CallKind,
  wanted: number,
  now: number,
  limits: KeyLimits,
  rivals: Rivals,
): { readonly budget: KeyBudget; readonly taken: number; readonly waitMs: number } {
  const ready = readyAt(budget, kind, now);
  if (ready > now) return { budget, taken: 0, waitMs: ready - now };
  const holds = raised(budget, now, limits);
  const submitsWait = rivals.submitsWait && readyAt(budget, 'submit', now) <= now;
  const share = shareOf(holds, kind, wanted, now, { ...rivals, submitsWait });
  const leave = kind === 'poll' ? LEFT_TO_SUBMITS : 0;
  const { taken, tatMs, waitMs } = takeCalls(holds.tatMs, holds.callsPerMinute, now, share, leave);
  const oneCallMs = Math.ceil(60_000 / holds.callsPerMinute);
  if (taken === 0) return { budget, taken, waitMs: Math.max(waitMs, share === 0 ? oneCallMs : 0) };
  const submitsInARow = kind === 'poll' || !rivals.pollsWait ? 0 : holds.submitsInARow + taken;
  const later = taken < wanted ? Math.max(waitMs, oneCallMs) : 0;
  return { budget: { ...holds, tatMs, submitsInARow }, taken, waitMs: later };
}

/** When pauses and rests let a call of a kind through: `now`, or later. */
export function readyAt(budget: KeyBudget, kind: CallKind, now: number): number {
  const { pausedUntil, submitsPausedUntil, restUntil, restsLooks } = budget;
  const untils = [pausedUntil];
  if (kind === 'submit') untils.push(submitsPausedUntil);
  if (kind === 'submit' || restsLooks) untils.push(restUntil);
  return Math.max(now, ...untils.filter((until) => isAhead(until, now)));
}

/** Whether looks are held back by a fault, rather than because others were made. */
export function holdsLooks(budget: KeyBudget, now: number): boolean {
  return readyAt(budget, 'poll', now) > now;
}

/** How many of the calls that are free this kind may have. */
function shareOf(
  { submitsInARow, tatMs }: KeyBudget,
  kind: CallKind,
  wanted: number,
  now: number,
  rivals: Rivals,
): number {
  const looksTurn = submitsInARow >= MOST_SUBMITS_IN_A_ROW;
  if (kind === 'submit') {
    if (!rivals.pollsWait) return wanted;
    return looksTurn ? 0 : Math.min(wanted, MOST_SUBMITS_IN_A_ROW - submitsInARow);
  }
  if (!rivals.submitsWait) return wanted;
  // Calls that lie there unused until none is missing are not what keeps the submits waiting.
  return looksTurn || tatMs <= now ? Math.min(wanted, 1) : 0;
}

export function giveBack(budget: KeyBudget, calls: number): KeyBudget {
  return { ...budget, tatMs: giveBackCalls(budget.tatMs, budget.callsPerMinute, calls) };
}

/** What the budget is after an answer. Less is believed at once; more only after a while, a little at a time. */
export function afterReply(
  budget: KeyBudget,
  signal: Signal,
  headers: RateHeaders,
  now: number,
  limits: KeyLimits,
): KeyBudget {
  const told = heed(budget, headers, now, limits);
  switch (signal.kind) {
    case 'ok': {
      const { pauses, submitPauses, rests } = told;
      return pauses + submitPauses + rests === 0 ? told : { ...told, pauses: 0, submitPauses: 0, rests: 0 };
    }
    case 'looked':
      return told.pauses === 0 ? told : { ...told, pauses: 0 };
    case 'rate-limited': {
      const { until, count } = pause(told.pausedUntil, told.pauses, signal.retryAfterMs, now);
      return { ...told, pausedUntil: until, pauses: count };
    }
    case 'concurrency': {
      const tasks = Math.max(1, Math.min(told.tasks, signal.heldByOthers));
      const { until, count } = pause(told.submitsPausedUntil, told.submitPauses, signal.retryAfterMs, now);
      return { ...told, tasks, tasksLearnedAt: now, submitsPausedUntil: until, submitPauses: count };
    }
    case 'rejected': {
      const restsLooks = signal.looks;
      if (isAhead(told.restUntil, now))
        return restsLooks && !told.restsLooks ? { ...told, restsLooks } : told;
      const restMs = Math.min(LONGEST_REST_MS, REST_MS * 2 ** told.rests);
      return { ...told, restUntil: now + restMs, restsLooks, rests: told.rests + 1 };
    }
  }
}

/** The pause that was asked for, or one that grows; not for each of several calls that were under way together. */
function pause(until: number, count: number, retryAfterMs: number | null, now: number) {
  const again = isAhead(until, now);
  // A refusal that asks for no time at all, or for one that is over, does not say how long either.
  const asked = retryAfterMs !== null && retryAfterMs > 0 ? retryAfterMs : null;
  if (again && asked === null) return { until, count };
  const ms = asked ?? Math.min(LONGEST_OWN_PAUSE_MS, OWN_PAUSE_MS * 2 ** count);
  const told = now + Math.min(ms, LONGEST_PAUSE_MS);
  return { until: again ? Math.max(until, told) : told, count: again ? count : count + 1 };
}

/** Whether a pause is still on. One that ends further away than any may is from a clock that was ahead. */
function isAhead(until: number, now: number): boolean {
  return until > now && until <= now + LONGEST_REST_MS;
}

function heed(budget: KeyBudget, headers: RateHeaders, now: number, limits: KeyLimits): KeyBudget {
  const { limit, remaining, resetInMs } = headers;
  let next = budget;
  if (limit !== null && limit >= 1) {
    const callsPerMinute = Math.floor(limit);
    // The same low limit again keeps it from being raised, but is not worth a write each time it is said.
    const confirmed = now - next.callsLearnedAt >= CONFIRM_AFTER_MS && callsPerMinute < limits.callsPerMinute;
    if (callsPerMinute < next.callsPerMinute || (callsPerMinute === next.callsPerMinute && confirmed)) {
      next = { ...next, callsPerMinute, callsLearnedAt: now };
    }
  }
  if (remaining !== null && remaining <= 0 && resetInMs !== null && resetInMs > 0) {
    const pausedUntil = now + Math.min(resetInMs, LONGEST_WINDOW_MS);
    if (pausedUntil > next.pausedUntil || !isAhead(next.pausedUntil, now)) next = { ...next, pausedUntil };
  }
  return next;
}

/** The limits that hold for a key: what was learned, a step closer to what is configured once that is a while ago. */
export function raised(budget: KeyBudget, now: number, limits: KeyLimits): KeyBudget {
  const { callsPerMinute, callsLearnedAt, tasks, tasksLearnedAt } = budget;
  const step = Math.max(1, Math.floor(callsPerMinute / 10));
  const calls = raise(callsPerMinute, callsLearnedAt, step, limits.callsPerMinute, now);
  const slots = raise(tasks, tasksLearnedAt, 1, limits.tasks, now);
  if (calls.value === callsPerMinute && slots.value === tasks) return budget;
  return {
    ...budget,
    callsPerMinute: calls.value,
    callsLearnedAt: calls.learnedAt,
    tasks: slots.value,
    tasksLearnedAt: slots.learnedAt,
  };
}

/** @param learnedAt 0: nothing was learned, and what is configured holds, also where that was changed */
function raise(value: number, learnedAt: number, step: number, ceiling: number, now: number) {
  const due = Math.abs(now - learnedAt) >= RAISE_AFTER_MS;
  const next = learnedAt === 0 ? ceiling : Math.min(ceiling, due ? value + step : value);
  if (next === ceiling) return { value: next, learnedAt: 0 };
  return { value: next, learnedAt: next === value ? learnedAt : now };
}
