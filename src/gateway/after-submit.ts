import { type Avatar, accepted, failed, requeued, unconfirmed } from '../domain/avatar.js';
import { backoffMs, pollPauseMs } from '../domain/schedule.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import { ending, type Move } from './move.js';
import { failure, type Ports } from './ports.js';

/**
 * What follows each outcome of a submit; the rules are those of the upstream's contract.
 * @param now when the answer came
 */
export function afterSubmit(ports: Ports, avatar: Avatar, outcome: SubmitOutcome, now: number): Move {
  const { settings, random } = ports;
  switch (outcome.kind) {
    case 'accepted':
      return {
        avatar: accepted(avatar, outcome.taskId, now),
        dueInMs: pollPauseMs(0, settings.pollMinMs, settings.pollMaxMs, random()),
        submission: 'drop',
      };
    case 'not-sent':
      return again(ports, avatar, null, now);
    case 'refused':
      if (outcome.status !== 429) return refused(ports, avatar, outcome.status, outcome.message, now);
      return settings.notMadeOn.has(429)
        ? again(ports, avatar, outcome.retryAfterMs, now)
        : outcomeUnknown(ports, avatar, outcome.message, outcome.status, now);
    case 'unknown':
      if (outcome.status === 503 && settings.notMadeOn.has(503)) return again(ports, avatar, null, now);
      return outcomeUnknown(ports, avatar, outcome.reason, outcome.status, now);
  }
}

/** No task was made. The submit is tried again, where what to submit is still there. */
function again(ports: Ports, avatar: Avatar, retryAfterMs: number | null, now: number): Move {
  if (avatar.status === 'unconfirmed') return neverSent(ports, avatar, now);
  const next = requeued(avatar);
  const backoff = backoffMs(next.failures, ports.random());
  return { avatar: next, dueInMs: Math.max(backoff, retryAfterMs ?? 0), submission: 'keep' };
}

function refused(ports: Ports, avatar: Avatar, status: number, message: string, now: number): Move {
  const ours = [401, 402, 403].includes(status);
  const type = ours ? 'account-problem' : 'refused-by-modellix';
  const detail = ours
    ? `${sentence(message)} No task was made: make a new avatar once the key is mended or the balance topped up.`
    : message;
  const { retentionMs } = ports.settings;
  return ending(failed(avatar, failure(type, detail, status), { now, retentionMs }), retentionMs);
}

/** The end of an avatar that no submit was made for. */
export function neverSent({ settings }: Ports, avatar: Avatar, now: number): Move {
  const detail = 'The request could not be brought to Modellix. No task was made, and nothing was spent.';
  const { retentionMs } = settings;
  return ending(failed(avatar, failure('never-sent', detail), { now, retentionMs }), retentionMs);
}

/** The end of an avatar whose submit may or may not have made a task. */
export function outcomeUnknown(
  { settings }: Ports,
  avatar: Avatar,
  reason: string,
  status: number | null,
  now: number,
): Move {
  const detail = `${sentence(reason)} A task may or may not have been made, so it is not sent again: look for it in the Modellix console, and resolve the avatar with what you find.`;
  const { retentionMs } = settings;
  return ending(
    unconfirmed(avatar, failure('outcome-unknown', detail, status), { now, retentionMs }),
    retentionMs,
  );
}

/** What others worded, so that a sentence of ours can follow it. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
