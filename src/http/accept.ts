import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems.js';

/**
 * A hook that answers 406 where `Accept` excludes all the types given (RFC 9110 §12.5.1). Who names that of problems alone is
 * served: it may be what it is answered with.
 */
export function requireAccept(...types: [string, ...string[]]) {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    const { accept } = request.headers;
    // What most clients send, before the header is parsed.
    const isPlain = accept === undefined || accept === '*/*' || accept === types[0];
    if (!isPlain && !accept.includes('application/problem+json') && request.accepts().type(types) === false) {
      throw new ProblemError('not-acceptable', `This route answers with ${types.join(' or ')} only.`);
    }
    done();
  };
}
