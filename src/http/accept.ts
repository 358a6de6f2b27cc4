import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problems.js';

/**
 * A hook that answers 406 where `Accept` excludes all the types given (RFC 9110 §12.5.1). Who names that of problems alone is
 * served: it may be what it is answered with.
 */
export function requireAccept(...types: [string, ...string[]]) {
  return async (request: FastifyRequest): Promise<void> => {
    const takesProblems = request.headers.accept?.includes('application/problem+json') === true;
    if (!takesProblems && request.accepts().type(types) === false) {
      throw new ProblemError('not-acceptable', `This route answers with ${types.join(' or ')} only.`);
    }
  };
}
