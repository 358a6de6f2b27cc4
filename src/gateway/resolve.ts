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
    const move = moveOf(ports, stored, finding);
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

function moveOf({ settings }: Ports, { avatar, now }: Stored, finding: Finding): Move {
  if ('taskId' in finding) {
    return { avatar: accepted(avatar, finding.taskId, now), dueInMs: 0, submission: 'drop' };
  }
  const { retentionMs } = settings;
  const detail = 'An operator found that Modellix made no task. Nothing was spent.';
  return ending(failed(avatar, failure('not-made', detail), { now, retentionMs }));
}
