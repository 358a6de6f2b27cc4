import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ProblemError, type ProblemSlug } from '../../problems.js';
import { MAX_HEADERS } from '../connection-limits.js';

/** Refuses what Node takes for a request and RFC 9110 and 9112 do not, or answers without a problem. */
export function requireWellFormed(app: FastifyInstance): void {
  // Without listeners Node answers both by itself: the one too early, the other without a problem.
  for (const event of ['checkContinue', 'checkExpectation']) {
    app.server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      app.server.emit('request', request, response);
    });
  }

  app.addHook('onRequest', ({ raw: { httpVersion, rawHeaders, socket }, headers }, _reply, done) => {
    // It is gone already; whoever counts by address would trip over it.
    if (socket.remoteAddress === undefined) throw malformed('The connection has ended.');
    if (rawHeaders.length / 2 > MAX_HEADERS) {
      throw malformed(`There may be ${MAX_HEADERS} headers.`, 'headers-too-large');
    }
    if (httpVersion !== '1.1' && httpVersion !== '1.0') throw malformed('HTTP/1.1 and 1.0 are spoken here.');
    const isHost = (name: string) => name.length === 4 && name.toLowerCase() === 'host';
    const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && isHost(name)).length;
    if (hosts > 1 || (hosts === 0 && httpVersion === '1.1'))
      throw malformed('There must be one Host header.');
    const coding = headers['transfer-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      throw malformed('No transfer coding but chunked is supported.');
    }
    if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
      throw malformed('No expectation but 100-continue can be met.');
    }
    done();
  });

  // Only now: a caller who is refused by its headers need not send its megabytes.
  app.addHook('preParsing', ({ headers, raw }, reply, _payload, done) => {
    if (headers.expect !== undefined && raw.httpVersion === '1.1') reply.raw.writeContinue();
    done();
  });
}

/** The connection ends with the answer: where one request ends and the next begins may not be as it seems. */
function malformed(detail: string, slug: ProblemSlug = 'bad-request'): ProblemError {
  return new ProblemError(slug, detail, { headers: { connection: 'close' } });
}
