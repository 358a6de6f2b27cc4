import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Log } from '../gateway/log.js';

/** One line for a request, when it was answered; before that, one more at the level of `debug`. */
export class RequestLog extends LogController {
  override incomingRequest(request: FastifyRequest): void {
    request.log.debug({ req: request }, 'incoming request');
  }

  override requestCompleted(error: Error | null, request: FastifyRequest, reply: FastifyReply): void {
    const fields = { req: request, res: reply, responseTime: reply.elapsedTime };
    if (error) request.log.error({ ...fields, err: error }, 'request errored');
    else request.log.info(fields, 'request completed');
  }
}

/** The log of a request, whose lines have its id, or that of a server: for the fields that may be logged. */
export function logOf({ log }: Pick<FastifyRequest, 'log'>): Log {
  return log;
}
