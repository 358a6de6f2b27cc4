import type { Avatar } from '../../domain/avatar.js';
import type { Callback, Delivery } from '../../domain/callbacks/callback.js';
import { webhookIdOf } from '../../domain/callbacks/delivery.js';
import { ProblemError } from '../../problems.js';

/** How telling a receiver went. */
export interface DeliveryLog {
  readonly url: string;
  readonly state: Callback['state'];
  /** `null` before the end. */
  readonly webhookId: string | null;
  /** `null` where nothing is tried any more, or not yet. */
  readonly nextAttemptAt: number | null;
  /** The first one first. */
  readonly deliveries: readonly Delivery[];
}

/** @throws {ProblemError} `not-found` where nobody is to be told */
export function deliveryLog(avatar: Avatar): DeliveryLog {
  const { callback, step } = avatar;
  if (callback === null) throw new ProblemError('not-found', 'The avatar has no callback_url.');
  const { url, state, since, nextAt, deliveries } = callback;
  const nextAttemptAt = step === 'deliver' ? (nextAt ?? since) : null;
  return { url, state, webhookId: webhookIdOf(avatar), nextAttemptAt, deliveries };
}
