import { setTimeout as pause } from 'node:timers/promises';
import { awaitsAnswer } from '../domain/avatar.js';
import { backoffMs } from '../domain/schedule.js';
import type { SubmitOutcome } from '../modellix/outcome.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import { afterSubmit } from './after-submit.js';
import type { Answer } from './answer.js';
import { write } from './move.js';
import type { Ports } from './ports.js';

/** How long an answer is only in memory while the store is away. */
const SPOOL_AFTER_MS = 3_000;

/** What the intent left: the record at the version that the answer is written over. */
export type Held = Pick<Stored, 'avatar' | 'version'>;

/**
 * Writes down what a submit came to. The answer was paid for, so while the store is away it is kept and tried
 * again, after some seconds put on this machine's disk as well, and read from there at the next start. Where
 * the lease has lapsed meanwhile and the avatar is `unconfirmed`, the answer still counts.
 * @param held the record to write over, where it is known; otherwise, and when it is stale, it is read
 * @throws {StoreUnavailableError} when the process is told to stop first, or the record cannot be read; the answer
 * is on disk then
 */
export async function settle(ports: Ports, answer: Answer, held: Held | null): Promise<void> {
  const startedAt = performance.now();
  let current = held;
  let spooled = false;
  for (let failures = 0; ; ) {
    try {
      if (!(await apply(ports, answer, current))) {
        current = null;
        continue;
      }
      await forget(ports, answer);
      return;
    } catch (error) {
      const { stopping, log, random } = ports;
      const retried = error instanceof StoreUnavailableError && !stopping.aborted;
      if (!spooled && (!retried || performance.now() - startedAt >= SPOOL_AFTER_MS)) {
        spooled = await spool(ports, answer);
      }
      if (!retried) throw error;
      failures++;
      log.warn({ avatarId: answer.avatarId, failures, spooled }, 'an answer of Modellix waits for the store');
      await pause(backoffMs(Math.min(failures, 3), random()), undefined, { signal: stopping }).catch(
        () => undefined,
      );
    }
  }
}

/** Says whether there is nothing left to write; `false` where the record is not as it was held to be. */
async function apply(ports: Ports, answer: Answer, held: Held | null): Promise<boolean> {
  const { store, log } = ports;
  const { avatarId, outcome, intent, at } = answer;
  const current = held ?? (await store.find(answer.caller, avatarId));
  if (current === null || !awaitsAnswer(current.avatar, intent)) {
    if (outcome.kind === 'accepted' && current?.avatar.taskId !== outcome.taskId) {
      log.error(
        { avatarId, taskId: outcome.taskId },
        'a task was made for an avatar that no longer waits for it',
      );
    }
    return true;
  }
  if (outcome.kind === 'unknown' && current.avatar.status === 'unconfirmed') return true;
  const move = afterSubmit(ports, current.avatar, outcome, at);
  const written = await write(ports, current.version, move);
  if (written.saved) return true;
  if (written.reason !== 'task-taken') return false;
  return apply(ports, { ...answer, outcome: taskTaken(ports, answer) }, current);
}

function taskTaken({ log }: Ports, { avatarId, outcome }: Answer): SubmitOutcome {
  const taskId = outcome.kind === 'accepted' ? outcome.taskId : null;
  log.error({ avatarId, taskId }, 'Modellix answered with a task id that another avatar owns');
  return {
    kind: 'unknown',
    reason: `Modellix answered with ${taskId}, a task of another avatar.`,
    status: null,
  };
}

/** A disk that fails as well leaves the answer in memory: it is tried again with the store. */
async function spool({ spool, log }: Ports, answer: Answer): Promise<boolean> {
  const { avatarId, outcome } = answer;
  try {
    await spool.put(nameOf(answer), answer);
    return true;
  } catch (error) {
    const taskId = outcome.kind === 'accepted' ? outcome.taskId : null;
    log.error({ err: error, avatarId, outcome: outcome.kind, taskId }, 'an answer could not be spooled');
    return false;
  }
}

async function forget({ spool, log }: Ports, answer: Answer): Promise<void> {
  await spool.remove(nameOf(answer)).catch((error: unknown) => {
    log.warn({ err: error, avatarId: answer.avatarId }, 'a spooled answer could not be removed');
  });
}

function nameOf({ avatarId, intent }: Answer): string {
  return `${avatarId}.${intent}`;
}

/** Settles what earlier processes left in the spool. Resolves with what is under way. */
export async function replayAnswers(ports: Ports): Promise<Promise<unknown>[]> {
  const { spool, log } = ports;
  const answers = await spool.all((file) =>
    log.error({ file }, 'a spooled answer cannot be read; it is kept'),
  );
  if (answers.length > 0) log.info({ answers: answers.length }, 'answers of an earlier process are replayed');
  return answers.map((answer) =>
    settle(ports, answer, null).catch((error: unknown) => {
      log.error(
        { err: error, avatarId: answer.avatarId },
        'a spooled answer could not be settled; it is kept',
      );
    }),
  );
}
