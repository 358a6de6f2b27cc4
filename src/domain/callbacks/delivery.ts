/** The moves of an avatar that has ended and whose end is to be told. */

import { type Avatar, isFinal } from '../avatar.js';
import { IllegalMoveError } from '../moves.js';
import {
  awaited,
  type Callback,
  type DeliveryResult,
  isTriedEnough,
  logged,
  nextTryAt,
  type Verdict,
} from './callback.js';

/** Names the end that is told: every try carries the same, another end of the same avatar another. */
export function webhookIdOf({ id, completedAt }: Avatar): string | null {
  return completedAt === null ? null : `${id}_${completedAt}`;
}

/** A try was made. @param at when it began. @param random in [0, 1) */
export function told(
  avatar: Avatar,
  answer: DeliveryResult,
  { kind, error }: Verdict,
  { at, now, random }: { at: number; now: number; random: number },
): Avatar {
  const callback = logged(callbackOf(avatar, 'told'), answer, error, at);
  if (kind === 'delivered') return over(avatar, { ...callback, state: 'delivered' });
  const failures = avatar.failures + 1;
  const { expiresAt } = avatar;
  const nextAt =
    kind === 'unwanted' ? null : nextTryAt(callback, answer, failures, { now, expiresAt, random });
  if (nextAt === null) return over(avatar, { ...callback, state: 'given_up' });
  return { ...avatar, failures, callback: { ...callback, nextAt } };
}

/** The avatar where it was tried in vain for long enough, and cannot be tried now; else `null`. */
export function triedEnough(avatar: Avatar, now: number): Avatar | null {
  const callback = callbackOf(avatar, 'triedEnough');
  if (avatar.failures === 0 || !isTriedEnough(callback.since, now)) return null;
  return over(avatar, { ...callback, state: 'given_up' });
}

/** Whoever asked for the avatar wants to be told again. A video that is still being kept is waited for. */
export function redelivery(avatar: Avatar, now: number): Avatar {
  if (!isFinal(avatar.status) || avatar.callback === null) throw new IllegalMoveError(avatar, 'redelivery');
  const callback = awaited(avatar.callback, now);
  return avatar.step === 'keep' ? avatar : { ...avatar, step: 'deliver', failures: 0, callback };
}

function over(avatar: Avatar, callback: Callback): Avatar {
  return { ...avatar, step: 'expire', failures: 0, callback: { ...callback, nextAt: null } };
}

function callbackOf(avatar: Avatar, move: string): Callback {
  if (avatar.step !== 'deliver' || avatar.callback === null) throw new IllegalMoveError(avatar, move);
  return avatar.callback;
}
