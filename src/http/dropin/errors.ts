import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems.js';
import { asProblem, sendError } from '../plugins/problems.js';
import { findingInWords } from './findings.js';
import { refusal, refusalOf } from './refusals.js';

/** Every error on the routes of `app`, and every path among them that leads nowhere, is told as Modellix tells it. */
export function answerAsModellix(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendRefusal(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    sendRefusal(new ProblemError('not-found', 'There is no such route.'), request, reply),
  );
  // As in Modellix's answers: the reset is a time, in Unix seconds (contract, "Errors").
  app.addHook('onSend', async ({ quota }, reply) => {
    if (quota === null) return;
    reply.headers({
      'x-ratelimit-limit': quota.limit,
      'x-ratelimit-remaining': quota.remaining,
      'x-ratelimit-reset': Math.ceil(Date.now() / 1000) + quota.resetSeconds,
    });
  });
}

/** Answers a request with what an error is in Modellix's words. */
export function sendRefusal(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asProblem(error);
  const { validation, validationContext } = error as Partial<FastifyError>;
  const written =
    validation && validationContext === 'body'
      ? refusal(400, findingInWords(validation))
      : refusalOf(problem);
  return sendError(problem, request, reply, written);
}
