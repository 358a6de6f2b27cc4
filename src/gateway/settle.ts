/** Writing down what a submit came to. */

import { setTimeout as pause } from 'node:timers/promises';
import { awaitsAnswer } from '../domain/avatar.js';
import { backoffMs } from '../domain/schedule.js';
import { type Stored, StoreUnavailableError } from '../store/store.js';
import type { Answer } from './answer.js';
import { write } from './move.js';
import { afterSubmit } from './outcome.js';
import type { Ports } from './ports.js';

/** The record that an answer is written over, or was. */
export type Held = Pick<Stored, 'avatar' | 'version'>;

/** `dueInMs`: until its next step. */
export interface Settled extends Held {
  readonly dueInMs: number;
}

/** How long an answer is only in memory, whatever the store does. */
const SPOOL_AFTER_MS = 3_000;

/**
 * Writes down what a submit came to. The answer was paid for, so it is tried until the store takes it, and after some
 * seconds put on this machine's disk as well, from where it is read at the next start. Where the lease has lapsed meanwhile
 * and the avatar is `unconfirmed`, the answer still counts.
 * @param held the record to write over, where it is known; otherwise, and when it is stale, it is read
 * @returns the avatar as it is now; `null` where it was removed
 * @throws {StoreUnavailableError} when the process is told to stop first, or the record cannot be read; the answer
 * is on disk then
 */
export async function settle(ports: Ports, answer: Answer, held: Held | null): Promise<Settled | null> {
  const { stopping, log, random } = ports;
  let spooled: Promise<boolean> | null = null;
  const spoolOnce = () => (spooled ??= spool(ports, answer));
  const timer = setTimeout(spoolOnce, SPOOL_AFTER_MS);
  let current = held;
  try {
    for (let failures = 0; ; ) {
      try {
        const settled = await apply(ports, answer, current);
        if (settled !== 'stale') {
          if (await spooled) await forget(ports, answer);
          return settled;
        }
        current = null;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || stopping.aborted) {
          await spoolOnce();
          throw error;
        }
        failures++;
        log.warn({ avatarId: answer.avatarId, failures }, 'an answer of Modellix waits for the store');
        await pause(backoffMs(Math.min(failures, 3), random()), undefined, { signal: stopping }).catch(
          () => undefined,
        );
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** `stale`: the record is not as it was held to be. */
async function apply(ports: Ports, answer: Answer, held: Held | null): Promise<Settled | null | 'stale'> {
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
    return current && asItIs(current);
  }
  if (outcome.kind === 'unknown' && current.avatar.status === 'unconfirmed') return asItIs(current);
  const move = afterSubmit(ports, current.avatar, outcome, at);
  const written = await write(ports, current.version, move);
  if (written.saved) return { avatar: move.avatar, version: written.version, dueInMs: move.dueInMs };
  if (written.reason === 'stale') return 'stale';
  return apply(ports, { ...answer, outcome: taskTaken(ports, answer) }, current);
}

function asItIs({ avatar, version }: Held): Settled {
  return { avatar, version, dueInMs: 0 };
}

function taskTaken({ log }: Ports, { avatarId, outcome }: Answer): Answer['outcome'] {
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
    log.warn({ avatarId, spooled: true }, 'an answer of Modellix is on disk until the store takes it');
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
    settle(ports, answer, null)
      .then(() => forget(ports, answer))
      .catch((error: unknown) => {
        log.error(
          { err: error, avatarId: answer.avatarId },
          'a spooled answer could not be settled; it is kept',
        );
      }),
  );
}
