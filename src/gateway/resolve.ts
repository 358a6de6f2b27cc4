import type { Avatar } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import { accepted, failed } from '../domain/moves.js';
import { ProblemError } from '../problems.js';
import type { Stored } from '../store/store.js';
import { changeFor, ending, type Move, write } from './move.js';
import { failure, type Ports } from './ports.js';

/** What an operator found in the vendor's console. */
export type Finding = { readonly taskId: string } | { readonly made: false };

/**
 * Ends the doubt about an avatar that is `unconfirmed` or `timed_out`: it goes on with the task that was found, or fails as
 * never made.
 * @throws {ProblemError} `not-found`, `not-unconfirmed`, or `task-taken` where the task is another avatar's
 */
export function resolve(ports: Ports, scope: Scope, id: string, finding: Finding): Promise<Avatar> {
  return changeFor(ports, scope, id, 'not-unconfirmed', async (stored) => {
    const { status } = stored.avatar;
    if (status !== 'unconfirmed' && status !== 'timed_out') {
      throw new ProblemError('not-unconfirmed', `The avatar is ${status}; there is no doubt to end.`);
    }
    const move = await moveOf(ports, stored, finding);
    const written = await write(ports, stored.version, move);
    if (written.saved) {
      ports.log.info({ avatarId: id, status, ...finding }, 'an avatar was resolved');
      return move.avatar;
    }
    if (written.reason === 'stale') return null;
    throw new ProblemError('task-taken', 'The task belongs to another avatar.', {
      errors: [{ pointer: '/task_id', detail: 'belongs to another avatar' }],
    });
  });
}

async function moveOf(ports: Ports, { avatar, now }: Stored, finding: Finding): Promise<Move> {
  if ('taskId' in finding) {
    const { taskId } = finding;
    const keyId = avatar.keyId ?? (await keyIdOf(ports, taskId));
    return { avatar: accepted({ ...avatar, keyId }, taskId, now), dueInMs: 0, submission: 'drop' };
  }
  const { retentionMs } = ports.settings;
  const detail = 'An operator found that Modellix made no task. Nothing was spent.';
  return ending(failed(avatar, failure('not-made', detail), { now, retentionMs }));
}

/** With which key a task can be polled whose avatar says none: it was submitted after the backup that the avatar is from. */
async function keyIdOf({ keyring, limits, store, modellix }: Ports, taskId: string): Promise<string> {
  const keys = keyring.keys();
  const [only] = keys;
  if (only !== undefined && keys.length === 1) return only.id;
  for (const key of keys) {
    const waitMs = await store.takeCall(key.id, limits.callTerms(key.id));
    if (waitMs > 0) {
      throw new ProblemError('rate-limited', 'Modellix cannot be asked now whose task it is.', {
        headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
      });
    }
    const { outcome } = await modellix.query(key, taskId);
    if (['unfinished', 'success', 'failure'].includes(outcome.kind)) return key.id;
  }
  throw new ProblemError('validation', 'The task cannot be read.', {
    errors: [{ pointer: '/task_id', detail: 'cannot be read with any key of the gateway' }],
  });
}
