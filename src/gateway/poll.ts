import type { Avatar, FailureType, Spend, Video } from '../domain/avatar.js';
import { failed, missed, polled, pollFailed, succeeded, timedOut } from '../domain/moves.js';
import { settledSpend } from '../domain/price.js';
import { backoffMs } from '../domain/schedule.js';
import type { ApiKey } from '../modellix/api-key.js';
import type { Bill, QueryOutcome } from '../modellix/outcome.js';
import type { Reason } from '../modellix/reason.js';
import type { Stored } from '../store/store.js';
import { reportToLimits, resultOfQuery } from './limits/report.js';
import { ending, type Move, postpone, write } from './move.js';
import { failure, type Ports, storeClock } from './ports.js';

/** How long after the submit Modellix may not know the task yet. */
const MISSING_TOLERANCE_MS = 60_000;
/** How long it has to say so before it is believed. */
const MISSING_CONFIRMED_MS = 30_000;
/** How long beyond its deadline a task of which Modellix says nothing usable is asked after. */
export const UNHEARD_MS = 24 * 3_600_000;

/**
 * Polls a claimed avatar's task once, with the key it was submitted with, and writes what was heard.
 * @throws {StoreUnavailableError} when that is lost: the lease lapses and the task is polled again
 */
export async function poll(ports: Ports, stored: Stored, key: ApiKey): Promise<void> {
  const { modellix, timing, log, stopping, bills } = ports;
  const { avatar, version } = stored;
  const clock = storeClock(stored);
  const { taskId, submittedAt } = taskOf(avatar);

  const { outcome, limits: headers } = await modellix.query(key, taskId);
  const now = clock();
  // A poll that was cut short because the process stops says nothing: the next process polls at once.
  if (outcome.kind === 'unavailable' && stopping.aborted) return void (await postpone(ports, stored, 0));
  await reportToLimits(ports, key, avatar, outcome, resultOfQuery(outcome), headers);
  const move = afterQuery(ports, avatar, outcome, now - submittedAt, now);
  const written = await write(ports, version, move);
  if (written.saved && (outcome.kind === 'success' || outcome.kind === 'failure')) {
    bills.note(ports, move.avatar, outcome);
    const arrive = await timing.learn(avatar, now).catch((error: unknown) => {
      log.warn({ err: error }, 'how long a task took could not be noted');
      return null;
    });
    if (arrive === true) log.info({}, 'pushes of Modellix arrive: tasks are polled when they are pushed');
    if (arrive === false) log.warn({}, 'pushes of Modellix do not arrive: tasks are polled as without them');
  }
}

/** Ends a claimed avatar whose task nobody could poll until long after its deadline, for want of its key. */
export async function endUnheard(ports: Ports, stored: Stored): Promise<void> {
  await write(ports, stored.version, overdue(ports, stored.avatar, storeClock(stored)()));
}

function taskOf({ id, taskId, submittedAt }: Avatar) {
  if (taskId === null || submittedAt === null) throw new Error(`${id} has no task`);
  return { taskId, submittedAt };
}

/** @param ageMs time since the submit */
function afterQuery(ports: Ports, avatar: Avatar, outcome: QueryOutcome, ageMs: number, now: number): Move {
  const { settings, timing, log, counts, videos } = ports;
  const end = { now, retentionMs: settings.retentionMs };
  switch (outcome.kind) {
    case 'unfinished': {
      if (outcome.unfamiliarStatus !== undefined) {
        counts.unfamiliarStatus();
        log.warn(
          { avatarId: avatar.id, word: outcome.unfamiliarStatus },
          'Modellix used an unfamiliar status',
        );
      }
      const next = polled(avatar, outcome.status, now);
      if (ageMs > settings.taskTimeoutMs) return overdue(ports, next, now);
      const silent = next.status === avatar.status;
      return { avatar: next, dueInMs: timing.nextPollMs(next, ageMs), submission: 'drop', silent };
    }
    case 'success': {
      if (outcome.resource !== null) {
        const { durationSeconds, ...found } = outcome.resource;
        const video: Video = { ...found, expiresAt: outcome.expiresAt, keptBytes: null };
        const spend = settledSpend(settings.prices, avatar, durationSeconds, outcome.billed);
        return ending(succeeded(avatar, video, end, videos !== null, spend));
      }
      const detail = 'Modellix called the task a success and named no video.';
      return ending(
        failed(avatar, failure('task-failed', detail), end, spendAllTheSame(ports, avatar, outcome)),
      );
    }
    case 'failure': {
      const spend = spendAllTheSame(ports, avatar, outcome);
      const type = FAILURES[outcome.reason ?? 'other'];
      return ending(failed(avatar, failure(type, outcome.message), end, spend));
    }
    case 'missing': {
      const next = missed(avatar, now);
      const isConfirmed = now - (next.missingSince ?? now) >= MISSING_CONFIRMED_MS;
      return ageMs > MISSING_TOLERANCE_MS && isConfirmed
        ? ending(failed(next, failure('task-lost', outcome.message, 404), end))
        : pollAgain(ports, next, 0, ageMs, now);
    }
    case 'limited':
      return pollAgain(ports, pollFailed(avatar), outcome.retryAfterMs ?? 0, ageMs, now);
    case 'unavailable':
      log.warn({ avatarId: avatar.id, reason: outcome.reason }, 'the task could not be polled');
      return pollAgain(ports, pollFailed(avatar), 0, ageMs, now);
  }
}

/** A task that failed may have been paid for, so whatever the reason no other is made for its avatar. */
const FAILURES: Readonly<Record<Reason | 'canceled' | 'other', FailureType>> = {
  content: 'content-refused',
  arrears: 'arrears',
  parallel: 'parallel-limit',
  canceled: 'canceled-by-modellix',
  other: 'task-failed',
};

/** What a task came to that failed: what was billed for it, where something was. */
function spendAllTheSame({ settings }: Ports, avatar: Avatar, { billed }: Bill): Spend | null {
  return billed ? settledSpend(settings.prices, avatar, null, billed) : avatar.spend;
}

/** Beyond the deadline a task is polled on, but its slot is free: Modellix has none busy for so long. */
function pollAgain(ports: Ports, avatar: Avatar, retryAfterMs: number, ageMs: number, now: number): Move {
  const lateMs = ageMs - ports.settings.taskTimeoutMs;
  if (lateMs > UNHEARD_MS) return overdue(ports, avatar, now);
  return {
    avatar,
    dueInMs: Math.max(backoffMs(avatar.failures, ports.random()), retryAfterMs),
    submission: 'drop',
    silent: true,
    ...(lateMs > 0 && { slotForMs: 0 }),
  };
}

function overdue(ports: Ports, avatar: Avatar, now: number): Move {
  const { retentionMs, taskTimeoutMs } = ports.settings;
  const detail = `The task was not finished ${Math.round(taskTimeoutMs / 60_000)} minutes after its submit.`;
  return ending(timedOut(avatar, failure('task-timeout', detail), { now, retentionMs }));
}
