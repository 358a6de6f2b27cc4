import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../../gateway/log.js';
import { PROBLEMS, ProblemError, type ProblemSlug } from '../../problems.js';
import { requestIdOf } from '../request-id.js';
import { lastAnswers } from './connections.js';
import { BARE_HEADERS } from './headers.js';
import { pathOf, written } from './problems.js';

/** What Node's parser says of bytes it cannot read. */
interface ClientError extends NodeJS.ErrnoException {
  readonly rawPacket?: unknown;
}

/** How long the caller has to read the answer and hang up. To close at once could take the answer with it. */
const LINGER_MS = 1_000;
/** How many connections that are late are ended in one ms. */
const LATE_A_MS = 2;

const BARE_LINES = Object.entries(BARE_HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

const BY_CODE: Readonly<Record<string, readonly [ProblemSlug, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', PROBLEMS['headers-too-large'].help],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', PROBLEMS['request-timeout'].help],
  HPE_INVALID_EOF_STATE: ['bad-request', 'The connection ended before the request did.'],
};

/**
 * Answers by hand what Node cannot make a whole request of: bytes that are not HTTP, headers that are too large,
 * a request that breaks off or arrives too slowly. Fastify's `clientErrorHandler`.
 */
export function answerClientErrors(log: Log): (error: ClientError, socket: Socket) => void {
  let late = 0;
  return (error, socket) => {
    if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT') return answer(log, error, socket);
    // Node finds all that are late in one go, thousands of them perhaps: others are served in between.
    const end = (): void => {
      late -= 1;
      answer(log, error, socket);
    };
    setTimeout(end, late++ / LATE_A_MS);
  };
}

/** Node hangs up on it where nobody listens. */
export function refuseConnect({ server, log }: FastifyInstance): void {
  server.on('connect', (_request, socket) => {
    refuse(log, socket, new ProblemError('bad-request', 'This is not a proxy: CONNECT is not served.'));
  });
}

function answer(log: Log, error: ClientError, socket: Socket): void {
  if (error.code === 'ECONNRESET') socket.destroy();
  // Who has asked for nothing is owed no answer.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0) socket.destroy();
  if (!socket.writable) return;
  const last = lastAnswers.get(socket);
  if (last !== undefined && !last.writableFinished && last.req.complete) {
    // A whole request is being answered, and what cannot be read came behind it.
    if (last.shouldKeepAlive) last.once('finish', () => socket.end());
    last.shouldKeepAlive = false;
    return;
  }
  const [slug, detail] = BY_CODE[error.code ?? ''] ?? ['bad-request', PROBLEMS['bad-request'].help];
  const broken = last?.req.complete === false ? last : undefined;
  // Of a request whose headers are not all there, the bytes are all that is known.
  const { rawPacket } = error;
  const isHead =
    broken?.req.method === 'HEAD' ||
    (Buffer.isBuffer(rawPacket) && rawPacket.toString('latin1', 0, 5) === 'HEAD ');
  const end = (): void => refuse(log, socket, new ProblemError(slug, detail), broken, isHead);
  // Node hands the socket to an answer when those before it are out.
  if (broken?.socket === null) broken.once('socket', end);
  else end();
}

/**
 * @param broken the answer to the request that will never be whole, where its headers at least were
 * @param isHead the answer has no body (RFC 9110 §9.3.2)
 */
function refuse(
  log: Log,
  socket: Duplex,
  problem: ProblemError,
  broken?: ServerResponse,
  isHead = false,
): void {
  const id = broken === undefined ? randomUUID() : requestIdOf(broken.req);
  log.info({ reqId: id, slug: problem.slug }, 'what came over a connection is not a whole request');
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
  if (broken?.headersSent) {
    socket.end(); // it was answered without its body
    return;
  }
  const { status, type, body } = written(problem, broken === undefined ? '/' : pathOf(broken.req), id);
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nX-Request-Id: ${id}\r\nContent-Type: ${type}\r\n` +
      `${BARE_LINES}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${isHead ? '' : text}`,
  );
}
