import type { FastifyRequest } from 'fastify';
import { ANONYMOUS, type Caller } from '../domain/caller.js';

/** Whose request it is. */
export function callerOf(_request: FastifyRequest): Caller {
  return ANONYMOUS;
}
