import type { Avatar } from '../domain/avatar.js';
import type { Scope } from '../domain/caller.js';
import { accepted, failed } from '../domain/moves.js';
import { ProblemError } from '../problems.js';
import type { Stored } from '../store/store.js';
import { ending, type Move, write } from './move.js';
import { failure, type Ports } from './ports.js';

/** What an operator found in the vendor's console. */
export type Finding = { readonly taskId: string } | { readonly made: false };

/** How often the write is tried over a record that another worker is writing. */
const ATTEMPTS = 3;

/**
 * Ends the doubt about an avatar that is `unconfirmed` or `timed_out`: it goes on with the task that was found, or fails as
 * never made.
 * @throws {ProblemError} `not-found`, `not-unconfirmed`, or `task-taken` where the task is another avatar's
 */
export async function resolve(ports: Ports, scope: Scope, id: string, finding: Finding): Promise<Avatar> {
  const { store, log } = ports;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stored = await store.find(scope, id);
    if (stored === null) throw new ProblemError('not-found', 'No avatar of yours has this id.');
    const { status } = stored.avatar;
    if (status !== 'unconfirmed' && status !== 'timed_out') {
      throw new ProblemError('not-unconfirmed', `The avatar is ${status}; there is no doubt to end.`);
    }
    const move = moveOf(ports, stored, finding);
    const written = await write(ports, stored.version, move);
    if (written.saved) {
      log.info({ avatarId: id, status, ...finding }, 'an avatar was resolved');
      return move.avatar;
    }
    if (written.reason === 'task-taken') {
      throw new ProblemError('task-taken', 'The task belongs to another avatar.', {
        errors: [{ pointer: '/task_id', detail: 'belongs to another avatar' }],
      });
    }
  }
  throw new ProblemError('not-unconfirmed', 'The avatar is being changed by something else. Read it again.');
}

function moveOf({ settings }: Ports, { avatar, now }: Stored, finding: Finding): Move {
  if ('taskId' in finding) {
    return { avatar: accepted(avatar, finding.taskId, now), dueInMs: 0, submission: 'drop' };
  }
  const { retentionMs } = settings;
  const detail = 'An operator found that Modellix made no task. Nothing was spent.';
  return ending(failed(avatar, failure('not-made', detail), { now, retentionMs }), retentionMs);
}
