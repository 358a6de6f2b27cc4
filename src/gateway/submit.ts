import { type Avatar, beginSubmit } from '../domain/avatar.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import { neverSent, outcomeUnknown } from './after-submit.js';
import type { Move } from './move.js';
import { type Ports, storeClock } from './ports.js';
import { type Held, settle } from './settle.js';

/**
 * Submits a claimed avatar once: intent, POST, answer. A record claimed in `submitting` is one whose worker died
 * or was cut off with the POST under way, so it becomes `unconfirmed` and nothing is sent.
 * @param held the submission, where the caller still has it; otherwise it is read from the store
 * @returns the record as it then stands, `null` when another worker has it
 * @throws {StoreUnavailableError} when nothing was sent, or when told to stop before the answer was written
 */
export async function submit(ports: Ports, stored: Stored, held?: Buffer): Promise<Avatar | null> {
  const { store, modellix, settings, log, counts } = ports;
  const { avatar, version } = stored;
  const clock = storeClock(stored);

  if (avatar.status === 'submitting') {
    const reason = 'The gateway was cut off while the request was under way.';
    return write(ports, version, outcomeUnknown(ports, avatar, reason, null, clock()));
  }
  if (clock() - avatar.createdAt > settings.queueTimeoutMs) {
    return write(ports, version, neverSent(ports, avatar, clock()));
  }
  const submission = held ?? (await store.submission(avatar.id));
  // Another worker sent it meanwhile, and the write below is refused; or it was lost, and there is nothing to send.
  if (submission === null) return write(ports, version, neverSent(ports, avatar, clock()));

  const intent = beginSubmit(avatar);
  const finish = (outcome: SubmitOutcome, held: Held | null) => {
    counts.submit(outcome.kind);
    log.info({ avatarId: intent.id, attempt: intent.attempt, outcome: outcome.kind }, 'submit settled');
    const { id: avatarId, caller, attempt } = intent;
    return settle(ports, { avatarId, caller, attempt, outcome, at: clock() }, held);
  };

  const intendedAt = clock();
  let intended: Awaited<ReturnType<typeof store.save>>;
  try {
    intended = await store.save(intent, version, { dueInMs: settings.submitLeaseMs, submission: 'keep' });
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    // The intent may or may not be written, but this process knows that nothing was sent.
    return finish({ kind: 'not-sent', reason: 'the intent could not be stored' }, null);
  }
  if (!intended.saved) return null;
  if (clock() - intendedAt > settings.submitLeaseMs) {
    // The process was held up past its own lease: what became of the record meanwhile is not for it to undo.
    return finish({ kind: 'not-sent', reason: 'the lease lapsed before the request left' }, null);
  }
  const outcome = await modellix.submit(submission, { traceparent: intent.traceparent });
  return finish(outcome, { avatar: intent, version: intended.version });
}

async function write({ store }: Ports, version: number, move: Move): Promise<Avatar | null> {
  return (await store.save(move.avatar, version, move)).saved ? move.avatar : null;
}
