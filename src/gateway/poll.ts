import {
  type Avatar,
  failed,
  isFinal,
  looked,
  lookFailed,
  succeeded,
  timedOut,
  type Video,
} from '../domain/avatar.js';
import { backoffMs, pollPauseMs } from '../domain/schedule.js';
import type { QueryOutcome } from '../modellix/outcome.js';
import type { Stored } from '../store/store.js';
import { ending, type Move } from './move.js';
import { failure, type Ports, storeClock } from './ports.js';

/** How long after the submit Modellix may not know the task yet. */
const MISSING_TOLERANCE_MS = 60_000;

/**
 * Looks once at a claimed avatar's task and writes what was seen.
 * @returns the record as it then stands, `null` when another worker has it
 */
export async function poll(ports: Ports, stored: Stored): Promise<Avatar | null> {
  const { modellix } = ports;
  const { avatar, version } = stored;
  const clock = storeClock(stored);
  if (avatar.taskId === null || avatar.submittedAt === null) throw new Error(`${avatar.id} has no task`);

  const outcome = await modellix.query(avatar.taskId);
  const now = clock();
  let move = afterQuery(ports, avatar, outcome, now - avatar.submittedAt, now);
  if (!isFinal(move.avatar.status) && now - avatar.submittedAt > ports.settings.taskTimeoutMs) {
    move = overdue(ports, avatar, now);
  }
  // Where the store is away the look is lost and nothing else: the lease lapses and the task is looked at again.
  const written = await ports.store.save(move.avatar, version, move);
  return written.saved ? move.avatar : null;
}

/** @param ageMs time since the submit */
function afterQuery(ports: Ports, avatar: Avatar, outcome: QueryOutcome, ageMs: number, now: number): Move {
  const { settings, random, log, counts } = ports;
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
      const next = looked(avatar, outcome.status);
      const dueInMs = pollPauseMs(next.polls, settings.pollMinMs, settings.pollMaxMs, random());
      return { avatar: next, dueInMs, submission: 'drop' };
    }
    case 'success': {
      if (outcome.resource !== null) {
        const video: Video = { ...outcome.resource, expiresAt: outcome.expiresAt };
        return ending(succeeded(avatar, video, over), retentionMs);
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

function lookAgain({ random }: Ports, avatar: Avatar, retryAfterMs: number | null): Move {
  const next = lookFailed(avatar);
  return {
    avatar: next,
    dueInMs: Math.max(backoffMs(next.failures, random()), retryAfterMs ?? 0),
    submission: 'drop',
  };
}

function overdue(ports: Ports, avatar: Avatar, now: number): Move {
  const { retentionMs, taskTimeoutMs } = ports.settings;
  const detail = `The task was not finished ${Math.round(taskTimeoutMs / 60_000)} minutes after its submit.`;
  return ending(timedOut(avatar, failure('task-timeout', detail), { now, retentionMs }), retentionMs);
}
