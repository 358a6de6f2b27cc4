import { randomBytes } from 'node:crypto';
import type { Avatar } from '../domain/avatar.js';
import { beginSubmit } from '../domain/moves.js';
import type { ApiKey } from '../modellix/api-key.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import { type Submission, unpackSubmission } from '../modellix/submission.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import { neverSent } from './after-submit.js';
import { write } from './move.js';
import { note } from './note.js';
import { type Ports, storeClock } from './ports.js';
import { type Held, settle } from './settle.js';
import { signalOfSubmit } from './signals.js';

/** An avatar whose intent is on disk: the one POST that may be made for it is this process's to make. */
export interface Intent extends Held {
  readonly avatar: Meant['avatar'];
  readonly key: ApiKey;
  readonly clock: () => number;
  /** When the intent was begun, on the store's clock. */
  readonly begunAt: number;
}

/** A submit as it is to be begun: the queued avatar, and what it is with the intent in it. */
export interface Meant {
  readonly stored: Stored;
  readonly avatar: Avatar & { readonly intent: string };
  readonly key: ApiKey;
}

export function meant(stored: Stored, key: ApiKey): Meant {
  const intent = randomBytes(9).toString('base64url');
  return { stored, avatar: { ...beginSubmit(stored.avatar, key.id, intent), intent }, key };
}

/**
 * Writes down that a queued avatar is about to be submitted with a key, which takes one of the key's slots.
 * @returns `null` where another worker has it, or the key has no slot left
 * @throws {StoreUnavailableError} when it is not known whether it was written: what may be there is taken back
 */
export async function intend(ports: Ports, { stored, avatar, key }: Meant): Promise<Intent | null> {
  const { store, settings, limits } = ports;
  const clock = storeClock(stored);
  const begunAt = clock();
  const save = {
    dueInMs: settings.submitLeaseMs,
    submission: 'keep',
    slots: limits.slots(key.id),
  } as const;
  const saved = await store.save(avatar, stored.version, save);
  return saved.saved ? { avatar, version: saved.version, key, clock, begunAt } : null;
}

/**
 * Takes back an intent of which it is not known whether it was written: this process knows that nothing was sent for it.
 * Where another worker's was written instead, that stays.
 */
export function withdrawIntent(ports: Ports, { stored, avatar }: Meant): Promise<void> {
  const reason = 'the intent could not be stored';
  return finish(ports, { avatar, at: storeClock(stored)() }, { kind: 'not-sent', reason }, null);
}

/**
 * The one POST of an avatar, and what it came to.
 * @param atHand the submission, where it still is; otherwise it is read from the store
 * @throws {StoreUnavailableError} when told to stop before the answer was written
 */
export async function submit(ports: Ports, intent: Intent, atHand?: Submission): Promise<void> {
  const { modellix, settings, log } = ports;
  const { avatar, key, clock, begunAt } = intent;
  const notSent = (reason: string, held: Held | null) =>
    finish(ports, { avatar, at: clock() }, { kind: 'not-sent', reason }, held);

  let submission: Submission | null;
  try {
    submission = atHand ?? (await stored(ports, avatar));
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return notSent('the submission could not be read', intent);
  }
  if (submission === null) {
    log.error({ avatarId: avatar.id }, 'there is nothing to submit');
    await write(ports, intent.version, neverSent(ports, avatar, clock()));
    return;
  }
  if (clock() - begunAt > settings.submitLeaseMs) {
    // The process was held up past its own lease: what became of the record meanwhile is not for it to undo.
    return notSent('the lease lapsed before the request left', null);
  }
  const { outcome, limits: headers } = await modellix.submit(key, submission, {
    traceparent: avatar.traceparent,
  });
  const at = clock();
  const signal = signalOfSubmit(outcome, await heldByOthers(ports, key, outcome));
  await note(ports, key, avatar, outcome, signal, headers);
  return finish(ports, { avatar, at }, outcome, intent);
}

async function stored({ store, log }: Ports, { id: avatarId }: Avatar): Promise<Submission | null> {
  const packed = await store.submission(avatarId);
  try {
    return packed && unpackSubmission(packed);
  } catch (error) {
    log.error({ err: error, avatarId }, 'a stored submission cannot be read');
    return null;
  }
}

async function heldByOthers(
  { store, limits }: Ports,
  { id }: ApiKey,
  outcome: SubmitOutcome,
): Promise<number> {
  if (outcome.kind !== 'refused' || outcome.limit !== 'tasks') return 0;
  const outlook = await store.outlook([id]).catch(() => null);
  return (outlook?.lanes.get(id)?.slots ?? limits.slots(id)) - 1;
}

function finish(
  ports: Ports,
  { avatar, at }: { readonly avatar: Meant['avatar']; readonly at: number },
  outcome: SubmitOutcome,
  held: Held | null,
): Promise<void> {
  const { id: avatarId, caller, attempt, intent } = avatar;
  ports.counts.submit(outcome.kind);
  ports.log.info({ avatarId, attempt, outcome: outcome.kind }, 'submit settled');
  return settle(ports, { avatarId, caller, intent, outcome, at }, held);
}
