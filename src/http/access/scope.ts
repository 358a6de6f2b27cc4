import type { FastifyRequest } from 'fastify';
import { type Scope, scopeOf } from '../../domain/caller.js';
import { ProblemError } from '../../problems.js';
import { OptionalText } from '../schemas/types.js';
import { callerOf } from './caller.js';

/** Narrows what an admin sees. */
export const callerParameter = {
  caller: OptionalText(255, 'For admins: only what is of the caller with this name.'),
};

/**
 * Whose avatars a caller asks for: all that it sees, or those of the one it names.
 * @throws {ProblemError} `forbidden` where it names another and is no admin: whether there is such a one or not
 */
export function scopeIn(request: FastifyRequest, name?: string): Scope {
  const caller = callerOf(request);
  if (name === undefined) return scopeOf(caller);
  if (caller.admin || name === caller.name) return name;
  throw new ProblemError(
    'forbidden',
    'Your key sees your own avatars; those of another caller are for admins.',
  );
}
