import { type Avatar, accepted, beginSubmit, failed, requeued, unconfirmed } from '../domain/avatar.js';
import { backoffMs, pollPauseMs } from '../domain/schedule.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import type { Stored } from '../store/store.js';
import { failure, type Ports, storeClock } from './ports.js';
import { ending, type Move, writeAnswer } from './write.js';

/**
 * Submits a claimed avatar once: intent, POST, answer. A record claimed in `submitting` is one whose worker died
 * with the POST under way, so it becomes `unconfirmed` and nothing is sent.
 * @param held the submission, where the caller still holds it; otherwise it is read from the store
 * @returns the record as it then stands, `null` when another worker has it
 * @throws {StoreUnavailableError} when nothing was sent, or when told to stop before the answer was written
 */
export async function submit(ports: Ports, stored: Stored, held?: Buffer): Promise<Avatar | null> {
  const { store, modellix, settings, log } = ports;
  const { avatar, version } = stored;
  const clock = storeClock(stored);

  if (avatar.status === 'submitting') {
    const move = unknown(ports, avatar, clock(), 'The gateway stopped while the request was under way.');
    return (await store.save(move.avatar, version, move)).saved ? move.avatar : null;
  }
  if (clock() - avatar.createdAt > settings.queueTimeoutMs) {
    const move = neverSent(ports, avatar, clock());
    return (await store.save(move.avatar, version, move)).saved ? move.avatar : null;
  }
  const submission = held ?? (await store.submission(avatar.id));
  if (submission === null) throw new Error(`${avatar.id} is queued and its submission is gone`);

  const intent = beginSubmit(avatar);
  const intended = await store.save(intent, version, {
    dueInMs: settings.submitLeaseMs,
    submission: 'keep',
  });
  if (!intended.saved) return null;

  const outcome = await modellix.submit(submission, { traceparent: intent.traceparent });
  log.info({ avatarId: intent.id, outcome: outcome.kind }, 'submit settled');

  let move = afterSubmit(ports, intent, outcome, clock());
  let written = await writeAnswer(ports, intended.version, move);
  if (!written.saved && written.reason === 'task-taken') {
    const { taskId } = move.avatar;
    log.error({ avatarId: intent.id, taskId }, 'Modellix answered with a task id that another avatar owns');
    move = unknown(ports, intent, clock(), `Modellix answered with ${taskId}, a task of another avatar.`);
    written = await writeAnswer(ports, intended.version, move);
  }
  return written.saved ? move.avatar : null;
}

/** What follows each outcome; the rules are those of the upstream's contract. */
function afterSubmit(ports: Ports, intent: Avatar, outcome: SubmitOutcome, now: number): Move {
  const { settings, random } = ports;
  switch (outcome.kind) {
    case 'accepted':
      return {
        avatar: accepted(intent, outcome.taskId, now),
        dueInMs: pollPauseMs(0, settings.pollMinMs, settings.pollMaxMs, random()),
        submission: 'drop',
      };
    case 'not-sent':
      return queuedAgain(ports, intent, null);
    case 'refused':
      return outcome.status === 429
        ? queuedAgain(ports, intent, outcome.retryAfterMs)
        : refused(ports, intent, outcome.status, outcome.message, now);
    case 'unknown':
      return unknown(ports, intent, now, outcome.reason, outcome.status);
  }
}

function queuedAgain({ random }: Ports, intent: Avatar, retryAfterMs: number | null): Move {
  const avatar = requeued(intent);
  const backoff = backoffMs(avatar.failures, random());
  return { avatar, dueInMs: Math.max(backoff, retryAfterMs ?? 0), submission: 'keep' };
}

function refused(ports: Ports, intent: Avatar, status: number, message: string, now: number): Move {
  const type = status === 401 || status === 402 || status === 403 ? 'account-problem' : 'refused-by-modellix';
  const { retentionMs } = ports.settings;
  return ending(failed(intent, failure(type, message, status), { now, retentionMs }), retentionMs);
}

function neverSent(ports: Ports, avatar: Avatar, now: number): Move {
  const detail = 'Modellix took no request for as long as an avatar may wait.';
  const { retentionMs } = ports.settings;
  return ending(failed(avatar, failure('never-sent', detail), { now, retentionMs }), retentionMs);
}

function unknown(
  ports: Ports,
  avatar: Avatar,
  now: number,
  reason: string,
  status: number | null = null,
): Move {
  const detail = `${reason} A task may or may not have been made; it is not sent again. Look for it in the Modellix console.`;
  const { retentionMs } = ports.settings;
  return ending(
    unconfirmed(avatar, failure('outcome-unknown', detail, status), { now, retentionMs }),
    retentionMs,
  );
}
