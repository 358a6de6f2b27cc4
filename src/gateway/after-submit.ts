import type { Avatar } from '../domain/avatar.js';
import { accepted, failed, requeued, unconfirmed } from '../domain/moves.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import { ending, type Move, waiting } from './move.js';
import { failure, type Ports } from './ports.js';
import { isRejection } from './signals.js';

/**
 * What follows each outcome of a submit; the rules are those of the upstream's contract.
 * @param now when the answer came
 */
export function afterSubmit(ports: Ports, avatar: Avatar, outcome: SubmitOutcome, now: number): Move {
  const { settings, timing } = ports;
  switch (outcome.kind) {
    case 'accepted': {
      const next = accepted(avatar, outcome.taskId, now);
      return { avatar: next, dueInMs: timing.nextLookMs(next, 0), submission: 'drop' };
    }
    case 'not-sent':
      return again(ports, avatar, now);
    case 'refused': {
      const { status, message } = outcome;
      if (status === 429) {
        return settings.notMadeOn.has(429)
          ? again(ports, avatar, now)
          : outcomeUnknown(ports, avatar, message, status, now);
      }
      if (isRejection(status) && anotherKeyMay(ports, avatar)) return again(ports, avatar, now);
      return refused(ports, avatar, status, message, now);
    }
    case 'unknown':
      if (outcome.status === 503 && settings.notMadeOn.has(503)) return again(ports, avatar, now);
      return outcomeUnknown(ports, avatar, outcome.reason, outcome.status, now);
  }
}

/** No task was made. The avatar takes its old place in the queue, where what to submit is still there. */
function again(ports: Ports, avatar: Avatar, now: number): Move {
  if (avatar.status === 'unconfirmed') return neverSent(ports, avatar, now);
  return waiting(ports, requeued(avatar), now);
}

function anotherKeyMay({ keyring, limits }: Ports, { keyId }: Avatar): boolean {
  return keyring.keys().some(({ id }) => id !== keyId && limits.isUsable(id));
}

function refused(ports: Ports, avatar: Avatar, status: number, message: string, now: number): Move {
  const ours = isRejection(status);
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
  const { retentionMs, unconfirmedHoldMs: slotForMs } = settings;
  const next = unconfirmed(avatar, failure('outcome-unknown', detail, status), { now, retentionMs });
  return { ...ending(next, retentionMs), slotForMs };
}

/** What others worded, so that a sentence of ours can follow it. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
