import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type Caller, type Scope, scopeOf } from '../domain/caller.js';
import { ProblemError } from '../problems.js';

/** Narrows what an admin looks at. */
export const callerParameter = {
  caller: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      format: 'text',
      description: 'For admins: only what is of the caller with this name.',
    }),
  ),
};

/**
 * Whose avatars a caller looks at: what it sees, or those of the one it names.
 * @throws {ProblemError} `forbidden` where it names another and is no admin: whether there is such a one or not
 */
export function lookedAt(
  caller: Caller,
  { query }: FastifyRequest<{ Querystring: { caller?: string } }>,
): Scope {
  const { caller: name } = query;
  if (name === undefined) return scopeOf(caller);
  if (!caller.admin && name !== caller.name) {
    throw new ProblemError(
      'forbidden',
      'Your key sees your own avatars; those of another caller are for admins.',
    );
  }
  return name;
}
