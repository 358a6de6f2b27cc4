import { type Avatar, type Cost, isFinal, type Video } from '../domain/avatar.js';
import { failed, looked, lookFailed, succeeded, timedOut } from '../domain/moves.js';
import { costOf, type Prices } from '../domain/price.js';
import { backoffMs } from '../domain/schedule.js';
import type { ApiKey } from '../modellix/api-key.js';
import type { QueryOutcome } from '../modellix/outcome.js';
import type { Stored } from '../store/store.js';
import { ending, type Move, write } from './move.js';
import { note } from './note.js';
import { failure, type Ports, storeClock } from './ports.js';
import { signalOfQuery } from './signals.js';

/** How long after the submit Modellix may not know the task yet. */
const MISSING_TOLERANCE_MS = 60_000;

/**
 * Looks once at a claimed avatar's task, with the key it was submitted with, and writes what was seen.
 * @throws {StoreUnavailableError} when the look is lost: the lease lapses and the task is looked at again
 */
export async function poll(ports: Ports, stored: Stored, key: ApiKey): Promise<void> {
  const { modellix, timing, log, settings, stopping } = ports;
  const { avatar, version } = stored;
  const clock = storeClock(stored);
  const { taskId, submittedAt } = taskOf(avatar);

  const { outcome, limits: headers } = await modellix.query(key, taskId);
  const now = clock();
  if (outcome.kind === 'unavailable' && stopping.aborted) return giveBack(ports, stored);
  await note(ports, key, avatar, outcome, signalOfQuery(outcome), headers);
  let move = afterQuery(ports, avatar, outcome, now - submittedAt, now);
  if (!isFinal(move.avatar.status) && now - submittedAt > settings.taskTimeoutMs)
    move = overdue(ports, avatar, now);
  const written = await write(ports, version, move);
  if (written.saved && (outcome.kind === 'success' || outcome.kind === 'failure')) {
    await timing.learn(avatar, now).catch((error: unknown) => {
      log.warn({ err: error }, 'how long a task took could not be noted');
    });
  }
}

/**
 * Ends a claimed avatar that Modellix had too long for, where its task cannot be looked at now. Any other is left to
 * its lease.
 */
export async function endOverdue(ports: Ports, stored: Stored): Promise<void> {
  const now = storeClock(stored)();
  const { submittedAt } = taskOf(stored.avatar);
  if (now - submittedAt > ports.settings.taskTimeoutMs) {
    await write(ports, stored.version, overdue(ports, stored.avatar, now));
  }
}

function taskOf({ id, taskId, submittedAt }: Avatar) {
  if (taskId === null || submittedAt === null) throw new Error(`${id} has no task`);
  return { taskId, submittedAt };
}

/** A look that was cut short because the process stops says nothing: the next process looks at once. */
async function giveBack(ports: Ports, { avatar, version }: Stored): Promise<void> {
  await write(ports, version, { avatar, dueInMs: 0, submission: 'drop', silent: true });
}

/** @param ageMs time since the submit */
function afterQuery(ports: Ports, avatar: Avatar, outcome: QueryOutcome, ageMs: number, now: number): Move {
  const { settings, timing, log, counts, videos } = ports;
  const { retentionMs } = settings;
  const over = { now, retentionMs };
  switch (outcome.kind) {
    case 'unfinished': {
      if (outcome.unfamiliarStatus !== undefined) {
        counts.unfamiliarStatus();
        log.warn(
          { avatarId: avatar.id, word: outcome.unfamiliarStatus },
          'Modellix used an unfamiliar status',
        );
      }
      const next = looked(avatar, outcome.status, now);
      const silent = next.status === avatar.status;
      return { avatar: next, dueInMs: timing.nextLookMs(next, ageMs), submission: 'drop', silent };
    }
    case 'success': {
      if (outcome.resource !== null) {
        const { durationSeconds, ...found } = outcome.resource;
        const video: Video = { ...found, expiresAt: outcome.expiresAt, keptBytes: null };
        const cost = costKnown(avatar, durationSeconds, settings.prices);
        return ending(succeeded(avatar, video, over, videos !== null, cost), retentionMs);
      }
      const detail = 'Modellix called the task a success and named no video.';
      return ending(failed(avatar, failure('task-failed', detail), over), retentionMs);
    }
    case 'failure':
      return ending(failed(avatar, failure('task-failed', outcome.message), over), retentionMs);
    case 'missing':
      return ageMs > MISSING_TOLERANCE_MS
        ? ending(failed(avatar, failure('task-lost', outcome.message, 404), over), retentionMs)
        : lookAgain(ports, avatar, null);
    case 'limited':
      return lookAgain(ports, avatar, outcome.retryAfterMs);
    case 'unavailable':
      log.warn({ avatarId: avatar.id, reason: outcome.reason }, 'the task could not be looked at');
      return lookAgain(ports, avatar, null);
  }
}

/** By the video where nobody knew how long the speech is. `null` where nothing is known but what was reserved. */
function costKnown({ audio, mode }: Avatar, durationSeconds: number | null, prices: Prices): Cost | null {
  if (audio.durationSeconds !== null || durationSeconds === null) return null;
  return costOf(prices, mode, durationSeconds);
}

function lookAgain({ random }: Ports, avatar: Avatar, retryAfterMs: number | null): Move {
  const next = lookFailed(avatar);
  return {
    avatar: next,
    dueInMs: Math.max(backoffMs(next.failures, random()), retryAfterMs ?? 0),
    submission: 'drop',
    silent: true,
  };
}

function overdue(ports: Ports, avatar: Avatar, now: number): Move {
  const { retentionMs, taskTimeoutMs } = ports.settings;
  const detail = `The task was not finished ${Math.round(taskTimeoutMs / 60_000)} minutes after its submit.`;
  return ending(timedOut(avatar, failure('task-timeout', detail), { now, retentionMs }), retentionMs);
}
