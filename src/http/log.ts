import type { FastifyRequest } from 'fastify';
import type { Log } from '../gateway/log.js';

/** The log of a request, for the fields that may be logged; its lines have the request's id. */
export function logOf({ log }: FastifyRequest): Log {
  return log;
}
