/** What follows the answer to a submit, or that there is none: the rules are those of the upstream's contract. */

import type { Avatar, FailureType } from '../domain/avatar.js';
import { accepted, canceled, failed, requeued, unconfirmed } from '../domain/moves.js';
import type { Refused } from '../modellix/outcome.js';
import type { Stored } from '../store/store.js';
import type { Outcome } from './answer.js';
import { isRejected } from './limits/report.js';
import { ending, erase, type Move, waiting, waitsUntil, write } from './move.js';
import { failure, type Ports, storeClock } from './ports.js';

/** @param now when the answer came, on the store's clock */
export function afterSubmit(ports: Ports, avatar: Avatar, outcome: Outcome, now: number): Move {
  const { settings, timing } = ports;
  switch (outcome.kind) {
    case 'accepted': {
      const next = accepted(avatar, outcome.taskId, now);
      return { avatar: next, dueInMs: timing.nextPollMs(next, 0), submission: 'drop' };
    }
    case 'not-sent':
      return again(ports, avatar, now);
    case 'nothing-to-send':
      return neverSent(ports, avatar, now);
    case 'refused': {
      const { status, message, limit, reason } = outcome;
      if (mayBeMade(settings, outcome)) return outcomeUnknown(ports, avatar, message, status, now);
      const anotherMay = isRejected(outcome) && anotherKeyMay(ports, avatar);
      if (limit !== null || reason === 'no-route' || anotherMay) return again(ports, avatar, now);
      return refused(ports, avatar, outcome, now);
    }
    case 'unknown':
      if (!mayBeMade(settings, outcome)) return again(ports, avatar, now);
      return outcomeUnknown(ports, avatar, outcome.reason, outcome.status, now);
  }
}

/** Whether a task was made, or may have been. */
export function mayBeMade({ notMadeOn }: Pick<Ports['settings'], 'notMadeOn'>, outcome: Outcome): boolean {
  switch (outcome.kind) {
    case 'accepted':
      return true;
    case 'unknown':
      return !(outcome.status === 503 && notMadeOn.has(503));
    case 'refused':
      return outcome.status === 429 && !notMadeOn.has(429);
    default:
      return false;
  }
}

/**
 * What is due without a call to Modellix: an avatar that waited too long in the queue, a submit whose process died or was
 * cut off with the POST under way, so that nothing may be sent for it again, and a record to be forgotten.
 * @throws {StoreUnavailableError} when it may not be done: the lease lapses and it is claimed again
 */
export async function lapsed(ports: Ports, stored: Stored): Promise<void> {
  const { avatar, version } = stored;
  const now = storeClock(stored)();
  if (avatar.step === 'expire') {
    await erase(ports, avatar, version);
  } else if (avatar.status === 'submitting') {
    const reason = 'The gateway was cut off while the request was under way.';
    await write(ports, version, outcomeUnknown(ports, avatar, reason, null, now));
  } else if (avatar.status === 'queued') {
    const tooLong = now >= waitsUntil(ports.settings, avatar);
    await write(ports, version, tooLong ? waitedTooLong(ports, avatar, now) : waiting(ports, avatar, now));
  } else {
    ports.log.error({ avatarId: avatar.id, status: avatar.status }, 'an avatar stands in the wrong index');
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

function refused({ settings }: Ports, avatar: Avatar, outcome: Refused, now: number): Move {
  const { status, message } = outcome;
  const type = problemOf(outcome);
  const until = UNTIL[type];
  const detail = until ? `${sentence(message)} No task was made: make a new avatar once ${until}.` : message;
  const { retentionMs } = settings;
  return ending(failed(avatar, failure(type, detail, status), { now, retentionMs }));
}

function problemOf(outcome: Refused): FailureType {
  const { reason } = outcome;
  if (reason === 'content') return 'content-refused';
  if (reason === 'arrears') return 'arrears';
  return isRejected(outcome) ? 'account-problem' : 'refused-by-modellix';
}

/** What has to be mended before the same request can come to something. */
const UNTIL: { readonly [type in FailureType]?: string } = {
  arrears: 'the balance is topped up',
  'account-problem': 'the key is mended',
};

function waitedTooLong(ports: Ports, avatar: Avatar, now: number): Move {
  const { startBy } = avatar;
  if (startBy === null || now < startBy) return neverSent(ports, avatar, now);
  const detail = `It could not be submitted by ${new Date(startBy).toISOString()}, as was asked for. No task was made, and nothing was spent.`;
  const { retentionMs } = ports.settings;
  return ending(canceled(avatar, { now, retentionMs }, failure('not-started-in-time', detail)));
}

function neverSent({ settings }: Ports, avatar: Avatar, now: number): Move {
  const detail = 'The request could not be brought to Modellix. No task was made, and nothing was spent.';
  const { retentionMs } = settings;
  return ending(failed(avatar, failure('never-sent', detail), { now, retentionMs }));
}

function outcomeUnknown(
  { settings }: Ports,
  avatar: Avatar,
  reason: string,
  status: number | null,
  now: number,
): Move {
  const detail = `${sentence(reason)} A task may or may not have been made, so it is not sent again: look for it in the Modellix console, and resolve the avatar with what you find.`;
  const { retentionMs, unconfirmedHoldMs: slotForMs } = settings;
  const next = unconfirmed(avatar, failure('outcome-unknown', detail, status), { now, retentionMs });
  return { ...ending(next), slotForMs };
}

/** What others worded, so that a sentence of ours can follow it. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
