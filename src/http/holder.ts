import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { ANONYMOUS } from '../domain/caller.js';
import { callerOf } from './caller.js';

/** Whose share of something scarce a request takes: its caller's, or its address's where callers are not told apart. */
export function holderOf(request: FastifyRequest): string {
  const caller = callerOf(request);
  return caller === ANONYMOUS ? `address:${normalizeIP(request.ip)}` : `caller:${caller.name}`;
}
