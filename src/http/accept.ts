import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problems.js';

/** A hook that answers 406 where `Accept` excludes all the types given (RFC 9110 §12.5.1), and problems. */
export function requireAccept(...types: [string, ...string[]]) {
  return async (request: FastifyRequest): Promise<void> => {
    if (request.accepts().type([...types, 'application/problem+json']) === false) {
      throw new ProblemError('not-acceptable', `This route answers with ${types.join(' or ')} only.`);
    }
  };
}
