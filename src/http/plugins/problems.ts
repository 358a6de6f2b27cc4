import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEMS, ProblemError, type ProblemSlug, problemType } from '../../problems.js';
import type { Problem } from '../schemas/problem.js';
import { fieldErrors } from '../validation.js';

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** Fastify's own errors that are the caller's doing; any other is ours. */
const BY_CODE: Readonly<Record<string, readonly [ProblemSlug, string]>> = {
  FST_ERR_BAD_URL: ['bad-request', 'The URL is malformed.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not-found', 'There is no such route.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload-too-large', PROBLEMS['payload-too-large'].help],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', PROBLEMS['unsupported-media-type'].help],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad-request', 'The body is not as long as Content-Length says.'],
};

/** Every error a route can end in, and every path that leads nowhere, becomes a problem (RFC 9457). */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new ProblemError('not-found', 'There is no such route.'), request, reply),
  );
}

/** Answers a request with the problem an error stands for. What is not the caller's doing is logged and not shown. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asProblem(error);
  const { status } = PROBLEMS[problem.slug];
  if (status >= 500)
    request.log.error({ err: problem.cause ?? problem, slug: problem.slug }, problem.message);
  const body: Problem = {
    ...problemBody(problem.slug, problem.message),
    instance: problem.instance ?? request.url.split('?', 1)[0] ?? '/',
    request_id: request.id,
    ...(problem.errors && { errors: [...problem.errors] }),
  };
  return reply
    .code(status)
    .headers(problem.headers)
    .header('content-type', PROBLEM_JSON)
    .serializer(JSON.stringify)
    .send(body);
}

/** For what is not HTTP at all, or arrives too slowly: there is no request yet, so the answer is written by hand. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const slug = clientErrorSlug(error.code);
  const { status } = PROBLEMS[slug];
  const { help: detail } = PROBLEMS[slug];
  const body = JSON.stringify({ ...problemBody(slug, detail), instance: '/', request_id: 'none' });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_JSON}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function clientErrorSlug(code: string | undefined): ProblemSlug {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  return 'bad-request';
}

function problemBody(slug: ProblemSlug, detail: string) {
  const { title, status } = PROBLEMS[slug];
  return { type: problemType(slug), title, status, detail };
}

function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { validation, validationContext, code } = error as Partial<FastifyError>;
  if (validation) {
    if (validationContext === 'params') return new ProblemError('not-found', 'There is nothing here.');
    const errors = fieldErrors(validation);
    const detail = errors.map((each) => `${each.pointer || 'the body'}: ${each.detail}`).join('; ');
    return new ProblemError(validationContext === 'querystring' ? 'invalid-query' : 'validation', detail, {
      errors,
    });
  }
  const known = code === undefined ? undefined : BY_CODE[code];
  if (known) return new ProblemError(known[0], known[1]);
  return new ProblemError('internal', 'The gateway met an error it did not expect.', { cause: error });
}
