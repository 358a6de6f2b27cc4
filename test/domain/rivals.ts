/** A team's slots in simulated time, of which others than the gateway use some, too. The gateway always has work waiting. */

import { seeded } from '../../bench/lag-world.js';
import {
  afterReply,
  type KeyLimits,
  type Learned,
  NOTHING_LEARNED,
  slotsOf,
  waitMs,
} from '../../src/domain/limits/budget.js';

/** What others want to have unfinished at a moment, in ms from the start. */
export type Rivals = (atMs: number, random: () => number) => number;

export interface Played {
  /** Of the time of slots that others left, the share that the gateway used. */
  readonly used: number;
  readonly refusedAMinute: number;
}

const STEP_MS = 100;
const MINUTE_MS = 60_000;
const TASK_MS = 90_000;
/** From the end of a task until a poll finds it, and from a submit until its answer. */
const SEEN_MS = 1_000;
const ANSWER_MS = 500;
const NOTHING_SAID = { limit: null, remaining: null, resetInMs: null };

interface Task {
  endsAt: number;
}

export function play(slots: number, minutes: number, rivals: Rivals, seed = 1): Played {
  const limits: KeyLimits = { callsPerMinute: 1_000, tasks: slots };
  const random = seeded(seed);
  const duration = () => TASK_MS * (0.5 + random());
  let learned: Learned = NOTHING_LEARNED;
  let ours: Task[] = [];
  let theirs: Task[] = [];
  let answers: { at: number; ok: boolean }[] = [];
  let [used, free, refused] = [0, 0, 0];
  const begun = 1_790_000_000_000;
  for (let ms = 0; ms < minutes * MINUTE_MS; ms += STEP_MS) {
    const now = begun + ms;
    theirs = theirs.filter(({ endsAt }) => endsAt > now);
    const busy = () => ours.filter(({ endsAt }) => endsAt > now).length + theirs.length;
    // Theirs come first, so that a slot that is free for a moment is theirs.
    for (let want = rivals(ms, random) - theirs.length; want > 0 && busy() < slots; want--)
      theirs.push({ endsAt: now + duration() });
    ours = ours.filter(({ endsAt }) => endsAt + SEEN_MS > now);
    for (const { ok } of answers.filter(({ at }) => at <= now)) {
      const held = ours.length + answers.filter(({ at, ok }) => at > now && !ok).length;
      const signal = ok
        ? ({ kind: 'ok', held } as const)
        : ({ kind: 'concurrency', retryAfterMs: null, heldBesides: held } as const);
      learned = afterReply(learned, signal, NOTHING_SAID, now, limits);
    }
    answers = answers.filter(({ at }) => at > now);
    const held = () => ours.length + answers.filter(({ ok }) => !ok).length;
    while (waitMs(learned, 'submit', now) === 0 && held() < slotsOf(learned, now, limits)) {
      const ok = busy() < slots;
      if (ok) ours.push({ endsAt: now + duration() });
      else refused += 1;
      answers.push({ at: now + ANSWER_MS, ok });
    }
    used += ours.filter(({ endsAt }) => endsAt > now).length;
    free += slots - theirs.length;
  }
  return { used: used / free, refusedAMinute: refused / minutes };
}
