/** Modellix in simulated time: so many tasks unfinished at any moment, the calls that the real budget gives, one policy. */

import { paceOf } from '../src/domain/limits/call-rate.js';
import type { TaskKind } from '../src/domain/limits/durations.js';
import { take, UNUSED } from '../test/domain/call-share.js';
import { dueQueue } from './lag-queue.js';

/** The scene: how many unfinished tasks, how much their durations scatter, and the calls that are allowed. */
export interface Scene {
  readonly tasks: number;
  /** Of the logarithm of a duration, given mode and length. */
  readonly sigma: number;
  readonly callsPerMinute: number;
  readonly hours: number;
  /** The median of every task, all of them `std`; where not given, kinds are drawn. */
  readonly medianMs?: number;
  /** Each task is pushed when it ends, but for a share of them; where not given, none is. */
  readonly pushes?: { readonly lostShare: number };
  /** The share of the time that is not measured, from the start on; a quarter where not given. */
  readonly warmUp?: number;
}

export interface Policy {
  /** Until the next look at a task of this age, in ms. */
  pauseMs(kind: TaskKind, ageMs: number, random: number): number;
  /** A task was seen finished; it was not at the poll before. @param byPush whether it was polled since a push said so */
  seen(kind: TaskKind, span: { readonly fromMs: number; readonly toMs: number }, byPush: boolean): void;
}

export interface Measured {
  readonly tasks: number;
  readonly lagMs: number;
  readonly lagP95Ms: number;
  readonly lagP99Ms: number;
  readonly pollsPerTask: number;
  /** Submits and polls. */
  readonly callsPerTask: number;
  /** Submits and polls. */
  readonly callsPerMinute: number;
  /** The share of slots x time in which a task was unfinished. */
  readonly used: number;
}

interface Task {
  readonly kind: TaskKind;
  readonly submittedAt: number;
  readonly endsAt: number;
  polledAt: number;
  pushedAt: number | null;
  isSeen: boolean;
}

const HOUR_MS = 3_600_000;
/** As the gateway has it: a push says that its task ended at most so long before. */
const PUSHED_WITHIN_MS = 2_000;
/** From the end of a task until the gateway has it polled: Modellix's way to it, and what it does before it makes the call. */
const PUSH_MS = 120;
/** Learning and the first wave of submits are not measured. */
const WARM_UP = 0.25;
const PRO_SHARE = 1 / 3;
const MEDIAN_MS = { std: 90_000, pro: 240_000 };
/** Speech from 5 to 45 s, 15 s in the middle; a task takes as much longer as the root of that. */
const SHORTEST_SECONDS = 5;
const LONGEST_SECONDS = 45;
const MIDDLE_SECONDS = Math.sqrt(SHORTEST_SECONDS * LONGEST_SECONDS);

/** Numbers in [0, 1) that are the same in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The median duration of a kind. */
export function medianMs({ mode, audioSeconds }: TaskKind): number {
  return MEDIAN_MS[mode] * Math.sqrt((audioSeconds ?? MIDDLE_SECONDS) / MIDDLE_SECONDS);
}

export function drawKind(random: () => number): TaskKind {
  const mode = random() < PRO_SHARE ? 'pro' : 'std';
  return { mode, audioSeconds: SHORTEST_SECONDS * (LONGEST_SECONDS / SHORTEST_SECONDS) ** random() };
}

function drawTask(now: number, { sigma, medianMs: given }: Scene, random: () => number): Task {
  const kind: TaskKind = given === undefined ? drawKind(random) : { mode: 'std', audioSeconds: null };
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const endsAt = now + (given ?? medianMs(kind)) * Math.exp(sigma * normal);
  return { kind, submittedAt: now, endsAt, polledAt: now, pushedAt: null, isSeen: false };
}

/** Plays the scene: each task that is seen finished makes room for the next submit. */
export function play(scene: Scene, policy: Policy, seed = 1): Measured {
  const { tasks, callsPerMinute, hours, warmUp = WARM_UP } = scene;
  const random = seeded(seed);
  const jitter = seeded(seed + 1);
  const pace = paceOf(callsPerMinute);
  const from = hours * HOUR_MS * warmUp;
  const until = hours * HOUR_MS;
  const due = dueQueue<Task>();
  const pushes = dueQueue<Task>();
  const lags: number[] = [];
  let [calls, free, polls, submits, busyMs, now] = [UNUSED, tasks, 0, 0, 0, 0];

  const later = (task: Task) =>
    due.push(now + policy.pauseMs(task.kind, now - task.submittedAt, jitter()), task);
  const submit = () => {
    free -= 1;
    if (now >= from) submits += 1;
    const task = drawTask(now, scene, random);
    busyMs += Math.max(0, Math.min(task.endsAt, until) - Math.max(now, from));
    if (scene.pushes !== undefined && random() >= scene.pushes.lostShare)
      pushes.push(task.endsAt + PUSH_MS, task);
    later(task);
  };
  const poll = (task: Task) => {
    if (now >= from) polls += 1;
    if (task.endsAt > now) {
      task.polledAt = now;
      later(task);
      return;
    }
    free += 1;
    task.isSeen = true;
    if (now >= from) lags.push(now - task.endsAt);
    const { submittedAt, polledAt, pushedAt } = task;
    const seenAt = pushedAt ?? now;
    const fromAt = pushedAt === null ? polledAt : Math.max(polledAt, pushedAt - PUSHED_WITHIN_MS);
    const span = { fromMs: fromAt - submittedAt, toMs: seenAt - submittedAt };
    policy.seen(task.kind, span, pushedAt !== null);
  };
  /** Has what is pushed by now polled, and forgets what was due and is seen. */
  const settle = () => {
    while (pushes.nextAt() <= now) {
      const task = pushes.pop();
      if (task.isSeen) continue;
      task.pushedAt = now;
      due.push(now, task);
    }
    while (due.peek()?.isSeen) due.pop();
  };
  /** Makes one call, if it may be made. Returns when to try again, 0 for at once. */
  const call = (kind: 'submit' | 'poll'): number => {
    const rivals = { submitsWait: free > 0, pollsWait: due.nextAt() <= now };
    const got = take(calls, kind, 1, now, pace, rivals);
    calls = got.calls;
    if (got.taken === 0) return now + got.waitMs;
    if (kind === 'submit') submit();
    else poll(due.pop());
    return 0;
  };

  while (now < until) {
    settle();
    let submitAt = 0;
    while (free > 0 && submitAt === 0) submitAt = call('submit');
    let lookAt = 0;
    while (due.nextAt() <= now && lookAt === 0) {
      lookAt = call('poll');
      settle();
    }
    const next = [
      lookAt || due.nextAt(),
      pushes.nextAt(),
      free > 0 ? submitAt || now : Number.POSITIVE_INFINITY,
    ];
    now = Math.max(now, Math.min(...next));
  }
  lags.sort((a, b) => a - b);
  return {
    tasks: lags.length,
    lagMs: lags.reduce((sum, lag) => sum + lag, 0) / lags.length,
    lagP95Ms: lags[Math.floor(lags.length * 0.95)] ?? 0,
    lagP99Ms: lags[Math.floor(lags.length * 0.99)] ?? 0,
    pollsPerTask: polls / lags.length,
    callsPerTask: (polls + submits) / lags.length,
    callsPerMinute: ((polls + submits) / (until - from)) * 60_000,
    used: busyMs / (tasks * (until - from)),
  };
}
