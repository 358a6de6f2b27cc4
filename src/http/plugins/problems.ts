import type { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEMS, ProblemError, type ProblemSlug, problemType } from '../../problems.js';
import { originForm } from '../arrival.js';
import { isDropIn, refusalOf, type WrittenError } from '../dropin/refusals.js';
import { logOf } from '../log.js';
import { fieldErrors, parameterErrors } from '../validation.js';

const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** Fastify's own errors that are the caller's doing. */
const BY_CODE: Readonly<Record<string, readonly [ProblemSlug, string]>> = {
  FST_ERR_BAD_URL: ['bad-request', 'The URL is malformed.'],
  // In the gateway's words: what cannot be an id is answered as an unknown one is.
  FST_ERR_MAX_PARAM_LENGTH: ['not-found', 'No avatar of yours has this id.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', PROBLEMS['unsupported-media-type'].help],
};

/** Errors of plugins, which serve the files of /docs, by status; any other 4xx is a bad request. */
const BY_STATUS: Readonly<Record<number, readonly [ProblemSlug, string]>> = {
  403: ['not-found', 'There is nothing here.'],
  404: ['not-found', 'There is nothing here.'],
  416: ['range-not-satisfiable', 'The range is outside the file.'],
};

/** Of an answer that was begun and came to nothing; a problem has a length and a type of its own. */
const REPRESENTATION = [
  'accept-ranges',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-range',
  'etag',
  'last-modified',
] as const;

/** Every error a route can end in, and every path that leads nowhere, becomes a problem. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(noRoute(), request, reply));
}

/** Answers a request with what an error stands for. What is not the caller's doing is logged and not shown. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asProblem(error);
  if (PROBLEMS[problem.slug].status >= 500 && !request.raw.destroyed)
    logOf(request).error({ err: problem.cause ?? problem, slug: problem.slug }, problem.message);
  for (const name of REPRESENTATION) reply.removeHeader(name);
  // Fastify closes where a body was not read; Node reads on and discards, so that the answer is not lost in a reset.
  if (reply.getHeader('connection') === 'close' && reply.raw.shouldKeepAlive) {
    reply.header('connection', 'keep-alive');
  }
  const { status, type, body } = written(problem, pathOf(request), request.id);
  return reply
    .code(status)
    .headers(problem.headers)
    .header('x-request-id', request.id)
    .header('cache-control', 'no-store')
    .header('content-type', type)
    .serializer(JSON.stringify)
    .send(body);
}

/** How a problem is written for who asked for a path: as of RFC 9457, or as Modellix would put it on its routes. */
export function written(problem: ProblemError, path: string, request_id: string): WrittenError {
  if (isDropIn(path)) return refusalOf(problem);
  const { slug, message: detail, instance = path, errors } = problem;
  const { title, status } = PROBLEMS[slug];
  const body = { type: problemType(slug), title, status, detail, instance, request_id };
  return { status, type: PROBLEM_JSON, body: { ...body, ...(errors && { errors }) } };
}

/** The path that was asked for, without a query, which may hold anything. */
export function pathOf({ url }: Pick<IncomingMessage, 'url'>): string {
  return originForm(url ?? '').replace(/[?#].*/s, '');
}

export function noRoute(): ProblemError {
  return new ProblemError('not-found', 'There is no such route.');
}

/** What an error is in the catalogue; what is not known there is `internal`. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { validation, validationContext, code, statusCode = 500 } = error as Partial<FastifyError>;
  if (validation) {
    if (validationContext === 'params') return new ProblemError('not-found', 'There is nothing here.');
    const ofQuery = validationContext === 'querystring';
    const errors = ofQuery ? parameterErrors(validation) : fieldErrors(validation);
    const detail = errors.map((each) => `${each.pointer || 'the body'}: ${each.detail}`).join('; ');
    return new ProblemError(ofQuery ? 'invalid-query' : 'validation', detail, { errors, cause: error });
  }
  if (statusCode < 400 || statusCode >= 500)
    return new ProblemError('internal', 'The gateway met an error it did not expect.', { cause: error });
  const unknown = ['bad-request', 'The request cannot be met.'] as const;
  const [slug, detail] = BY_CODE[code ?? ''] ?? BY_STATUS[statusCode] ?? unknown;
  return new ProblemError(slug, detail, { cause: error });
}
