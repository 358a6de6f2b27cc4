/**
 * What was learned of the limits of one key, and what it may do by that: calls a minute, unfinished tasks, and the pauses
 * that Modellix asked for. It changes when an answer says something new, and not with each call. Times are in ms.
 */

import { type Pace, paceOf } from './call-rate.js';

/** What is configured: where a budget starts, and what it never exceeds. */
export interface KeyLimits {
  readonly callsPerMinute: number;
  /** Unfinished tasks at the same time. */
  readonly tasks: number;
}

export interface Learned {
  /** The calls that Modellix said there are, and when; `null`: as many as are configured. */
  readonly calls: { readonly perMinute: number; readonly at: number } | null;
  /** The tasks that there was room for; `null`: as many as are configured. */
  readonly tasks: LearnedTasks | null;
  /** No call before this. */
  readonly pausedUntil: number;
  readonly pauses: number;
  /** No submit before this. */
  readonly submitsPausedUntil: number;
  /** The key was not accepted, or its balance is used up: no submit before this. */
  readonly restUntil: number;
  /** Nor any poll: those are refused as well. */
  readonly restsPolls: boolean;
  readonly rests: number;
}

/** As TCP learns what a path carries: what is known to fit, and what is tried above it. */
export interface LearnedTasks {
  readonly fit: number;
  /** So many more are tried, from `tryAt` on: one, and twice as many after each that there was room for. */
  readonly step: number;
  readonly tryAt: number;
  readonly refusedAt: number;
  /** Until when the refusals so far are as many as one a minute. */
  readonly refusalsUntil: number;
}

/** What may be done with a key now. */
export interface Terms {
  readonly keyId: string;
  /** Unfinished tasks that it may have. */
  readonly slots: number;
  readonly calls: Pace;
}

/** What an answer says of the limits. Pauses are what was asked for, `null` where it was not said. */
export type Signal =
  /** A submit was accepted, or refused for a reason of its own. `held`: slots that the key has in use with it. */
  | { readonly kind: 'ok'; readonly held: number }
  /** A poll was answered, which says nothing of whether a submit would be. */
  | { readonly kind: 'polled' }
  /** A submit was refused for its path. */
  | { readonly kind: 'no-route' }
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number | null }
  | { readonly kind: 'concurrency'; readonly retryAfterMs: number | null; readonly heldBesides: number }
  /** `polls`: those are refused, too. */
  | { readonly kind: 'rejected'; readonly polls: boolean };

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
/** How long a lower limit of calls is believed before a tenth more is tried. */
const RAISE_AFTER_MS = 180_000;
const CONFIRM_AFTER_MS = 60_000;
/** After a refusal one task more is tried so soon; after two of them within a minute, a minute later. */
const TRY_AFTER_MS = 5_000;
const REFUSAL_EVERY_MS = 60_000;
/** Refusals so close to each other are of submits that were under way together, and count as one. */
const TOGETHER_MS = 2_000;
/** The most that is tried above what fits, as a share of it. */
const LARGEST_STEP = 1 / 8;
/** The share that is yielded where others took slots that had been ours, so that not each of them is found out by a refusal. */
const YIELDED = 1 / 5;

export const NOTHING_LEARNED: Learned = {
  calls: null,
  tasks: null,
  pausedUntil: 0,
  pauses: 0,
  submitsPausedUntil: 0,
  restUntil: 0,
  restsPolls: false,
  rests: 0,
};

export function stateOf({ restUntil, pausedUntil }: Learned, now: number): BudgetState {
  if (isAhead(restUntil, now)) return { state: 'resting', until: restUntil };
  if (isAhead(pausedUntil, now)) return { state: 'paused', until: pausedUntil };
  return { state: 'ok', until: null };
}

/** Milliseconds until a key may be submitted with, or polled with, as far as pauses and rests go; 0: now. */
export function waitMs(learned: Learned, kind: 'submit' | 'poll', now: number): number {
  const { pausedUntil, submitsPausedUntil, restUntil, restsPolls } = learned;
  const untils = [pausedUntil];
  if (kind === 'submit') untils.push(submitsPausedUntil);
  if (kind === 'submit' || restsPolls) untils.push(restUntil);
  return Math.max(0, ...untils.filter((until) => isAhead(until, now)).map((until) => until - now));
}

/** What may be done with a key, where there is nothing to {@link waitMs wait} for. */
export function termsOf(keyId: string, learned: Learned, now: number, limits: KeyLimits): Terms {
  const calls = paceOf(callsPerMinuteOf(learned, now, limits));
  return { keyId, slots: slotsOf(learned, now, limits), calls };
}

/** Unfinished tasks that a key may have: those that fit, and, once it is time, some more to find out whether they do. */
export function slotsOf({ tasks }: Learned, now: number, limits: KeyLimits): number {
  if (tasks === null) return limits.tasks;
  const { fit, step, tryAt } = tasks;
  return Math.min(limits.tasks, isAhead(tryAt, now) ? fit : fit + step);
}

/** Calls a minute: what was said, and a tenth more for each three minutes since. */
export function callsPerMinuteOf({ calls }: Learned, now: number, limits: KeyLimits): number {
  const most = limits.callsPerMinute;
  if (calls === null) return most;
  let { perMinute } = calls;
  let raises = Math.floor(Math.abs(now - calls.at) / RAISE_AFTER_MS);
  for (; raises > 0 && perMinute < most; raises--) perMinute += Math.max(1, Math.floor(perMinute / 10));
  return Math.min(most, perMinute);
}

/** What is known after an answer; the same value where it said nothing new. Less is believed at once. */
export function afterReply(
  learned: Learned,
  signal: Signal,
  headers: RateHeaders,
  now: number,
  limits: KeyLimits,
): Learned {
  const heard = heed(learned, headers, now, limits);
  switch (signal.kind) {
    case 'ok': {
      const { pauses, rests } = heard;
      const tasks = afterRoom(heard.tasks, signal.held, now, limits);
      if (pauses + rests === 0 && tasks === heard.tasks) return heard;
      return { ...heard, tasks, pauses: 0, rests: 0 };
    }
    case 'polled':
    case 'no-route':
      return heard.pauses === 0 ? heard : { ...heard, pauses: 0 };
    case 'rate-limited': {
      const { until, count } = pause(heard.pausedUntil, heard.pauses, signal.retryAfterMs, now);
      return { ...heard, pausedUntil: until, pauses: count };
    }
    case 'concurrency': {
      const { heldBesides, retryAfterMs } = signal;
      const askedMs = Math.min(Math.max(0, retryAfterMs ?? 0), LONGEST_PAUSE_MS);
      const submitsPausedUntil = Math.max(heard.submitsPausedUntil, askedMs === 0 ? 0 : now + askedMs);
      return { ...heard, tasks: afterNoRoom(heard.tasks, heldBesides, now, limits), submitsPausedUntil };
    }
    case 'rejected': {
      const restsPolls = signal.polls;
      if (isAhead(heard.restUntil, now))
        return restsPolls && !heard.restsPolls ? { ...heard, restsPolls } : heard;
      const restMs = Math.min(LONGEST_REST_MS, REST_MS * 2 ** heard.rests);
      return { ...heard, restUntil: now + restMs, restsPolls, rests: heard.rests + 1 };
    }
  }
}

/** There was room for so many tasks. */
function afterRoom(
  tasks: LearnedTasks | null,
  held: number,
  now: number,
  limits: KeyLimits,
): LearnedTasks | null {
  if (tasks === null || held <= tasks.fit) return tasks;
  const step = Math.max(1, Math.min(tasks.step * 2, Math.floor(held * LARGEST_STEP)));
  return held >= limits.tasks ? null : { ...tasks, fit: held, step, tryAt: now };
}

/** There was no room for one task more than so many. */
function afterNoRoom(tasks: LearnedTasks | null, held: number, now: number, limits: KeyLimits): LearnedTasks {
  const fit = Math.max(0, Math.min(tasks?.fit ?? limits.tasks, held));
  if (tasks !== null && Math.abs(now - tasks.refusedAt) < TOGETHER_MS) return { ...tasks, fit };
  const wasTry = tasks === null || held >= tasks.fit;
  const earlierMs = Math.min(Math.max(0, (tasks?.refusalsUntil ?? 0) - now), 2 * REFUSAL_EVERY_MS);
  return {
    fit: wasTry ? fit : fit - Math.floor(fit * YIELDED),
    step: 1,
    tryAt: now + Math.max(TRY_AFTER_MS, earlierMs),
    refusedAt: now,
    refusalsUntil: now + earlierMs + REFUSAL_EVERY_MS,
  };
}

/** The pause that was asked for, or one that grows; not for each of several calls that were under way together. */
function pause(until: number, count: number, retryAfterMs: number | null, now: number) {
  const again = isAhead(until, now);
  // A refusal that asks for no time at all, or for one that is over, does not say how long either.
  const asked = retryAfterMs !== null && retryAfterMs > 0 ? retryAfterMs : null;
  if (again && asked === null) return { until, count };
  const ms = asked ?? Math.min(LONGEST_OWN_PAUSE_MS, OWN_PAUSE_MS * 2 ** count);
  const asAsked = now + Math.min(ms, LONGEST_PAUSE_MS);
  return { until: again ? Math.max(until, asAsked) : asAsked, count: again ? count : count + 1 };
}

/** Whether a pause is still on. One that ends further away than any may is from a clock that was ahead. */
function isAhead(until: number, now: number): boolean {
  return until > now && until <= now + LONGEST_REST_MS;
}

function heed(learned: Learned, headers: RateHeaders, now: number, limits: KeyLimits): Learned {
  const { limit, remaining, resetInMs } = headers;
  let next = learned;
  if (limit !== null && limit >= 1) {
    const perMinute = Math.floor(limit);
    const believed = callsPerMinuteOf(learned, now, limits);
    // The same low limit again keeps it from being raised, but is not worth a write each time it is said.
    const confirmed = perMinute === learned.calls?.perMinute && now - learned.calls.at >= CONFIRM_AFTER_MS;
    if (perMinute < believed || confirmed) next = { ...next, calls: { perMinute, at: now } };
  }
  if (remaining !== null && remaining <= 0 && resetInMs !== null && resetInMs > 0) {
    const pausedUntil = now + Math.min(resetInMs, LONGEST_WINDOW_MS);
    if (pausedUntil > next.pausedUntil || !isAhead(next.pausedUntil, now)) next = { ...next, pausedUntil };
  }
  return next;
}
