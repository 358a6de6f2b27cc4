import type { FastifyRequest } from 'fastify';

/** Whose request it is. Until callers have names, whoever may reach the port is one and the same. */
export function callerOf(_request: FastifyRequest): string {
  return 'anonymous';
}
