import type { FastifyRequest } from 'fastify';
import type { Log } from '../gateway/log.js';

/** The log of a request, whose lines have its id, or that of a server: for the fields that may be logged. */
export function logOf({ log }: Pick<FastifyRequest, 'log'>): Log {
  return log;
}
