import type { Avatar } from '../domain/avatar.js';
import type { ApiKey } from '../modellix/api-key.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import { type Submission, unpackSubmission } from '../modellix/submission.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import type { Outcome } from './answer.js';
import { reportToLimits, resultOfSubmit } from './limits/report.js';
import { mayBeMade } from './outcome.js';
import { type Ports, storeClock } from './ports.js';
import { type Held, type Settled, settle } from './settle.js';

/** A submit whose intent is in the store: the one POST that may be made for it is this process's to make. */
export interface BegunHere {
  readonly stored: Stored;
  /** When the store was first asked to begin it, by `performance.now()`: the lease runs since then, or began later. */
  readonly askedAt: number;
  /** What to submit: as it is, or as it is stored; `null`: it has to be read. */
  readonly atHand: Submission | Buffer | null;
}

/**
 * The one POST of an avatar, and what it came to.
 * @returns the avatar as it is then; `null` where it was removed meanwhile
 * @throws {StoreUnavailableError} when told to stop before the answer was written
 */
export async function submit(ports: Ports, begun: BegunHere): Promise<Settled | null> {
  const { modellix, keyring, limits, settings, sent, counts, log } = ports;
  const { stored, askedAt, atHand } = begun;
  const { avatar } = stored;
  const clock = storeClock(stored);
  const finish = (outcome: Outcome, held: Held | null = stored, at = clock()) =>
    settle(ports, answerOf(avatar, outcome, at), held);

  const key = keyring.get(avatar.keyId ?? '');
  if (key === null) return finish(notSent('its key was taken away'));
  let submission: Submission | null;
  try {
    submission = await read(ports, avatar, atHand);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return finish(notSent('the submission could not be read'));
  }
  if (submission === null) return finish({ kind: 'nothing-to-send' });
  const webhookUrl = await pushUrl(ports, avatar.id);
  // The process was held up past its own lease: what became of the record meanwhile is not for it to undo.
  if (performance.now() - askedAt > settings.submitLeaseMs)
    return finish(notSent('the lease lapsed before the request left'), null);
  // It may have been begun as soon as it was asked for: the store may have said so late.
  if (avatar.startBy !== null && stored.now + performance.now() - askedAt >= avatar.startBy)
    return finish(notSent('its time to start is over'));
  if (!sent.add(avatar.id)) {
    log.error({ avatarId: avatar.id, attempt: avatar.attempt }, 'the store came back older than it was');
    const reason = 'The task store came back older than it was, and the request had been sent before.';
    return finish({ kind: 'unknown', reason, status: null });
  }

  const { traceparent } = avatar;
  const { path } = limits.submitPath;
  const context = { path, traceparent, webhookUrl };
  const { outcome, limits: headers } = await modellix.submit(key, submission, context);
  const at = clock();
  if (!mayBeMade(settings, outcome)) sent.forget(avatar.id);
  counts.submit(outcome.kind);
  log.info({ avatarId: avatar.id, attempt: avatar.attempt, outcome: outcome.kind }, 'submit settled');
  const report = async () => {
    const result = resultOfSubmit(outcome, path, await heldByOthers(ports, key, outcome));
    await reportToLimits(ports, key, avatar, outcome, result, headers);
  };
  // What was paid for is written first. What is tried again is tried under the limits that were learned from it.
  if (outcome.kind !== 'accepted') await report();
  const settled = await finish(outcome, stored, at);
  if (outcome.kind === 'accepted') await report();
  return settled;
}

/** Gives back a submit that was begun and is not made: this process knows that nothing was sent for it. */
export function giveBack(
  ports: Ports,
  avatar: Avatar,
  at: number,
  held: Held | null,
): Promise<Settled | null> {
  return settle(ports, answerOf(avatar, notSent('the gateway stops, or was not told in time'), at), held);
}

function answerOf({ id: avatarId, caller, intent }: Avatar, outcome: Outcome, at: number) {
  if (intent === null) throw new Error(`${avatarId} was not begun`);
  return { avatarId, caller, intent, outcome, at };
}

function notSent(reason: string): Outcome {
  return { kind: 'not-sent', reason };
}

/** `null`, said in the log, where there is nothing to submit. */
async function read(
  { store, log }: Ports,
  { id: avatarId }: Avatar,
  atHand: BegunHere['atHand'],
): Promise<Submission | null> {
  if (atHand !== null && !Buffer.isBuffer(atHand)) return atHand;
  const packed = atHand ?? (await store.submission(avatarId));
  try {
    if (packed !== null) return unpackSubmission(packed);
    log.error({ avatarId }, 'there is nothing to submit');
  } catch (error) {
    log.error({ err: error, avatarId }, 'a stored submission cannot be read');
  }
  return null;
}

/** Where it cannot be known now, the task is polled as without it. */
async function pushUrl({ pushTokens }: Ports, avatarId: string): Promise<string | null> {
  if (pushTokens === null) return null;
  return pushTokens.urlFor(avatarId).catch((error: unknown) => {
    if (error instanceof StoreUnavailableError) return null;
    throw error;
  });
}

async function heldByOthers(
  { store, limits }: Ports,
  { id }: ApiKey,
  outcome: SubmitOutcome,
): Promise<number> {
  if (outcome.kind !== 'refused' || outcome.limit !== 'tasks') return 0;
  const outlook = await store.outlook([id]).catch(() => null);
  return (outlook?.keys.get(id)?.slots ?? limits.slots(id)) - 1;
}
