import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { ANONYMOUS, type Caller } from '../../domain/caller.js';
import type { ProblemError } from '../../problems.js';

/** Who sends a request and may not call. */
export interface Unauthenticated {
  /** Why not. */
  readonly refusal: ProblemError;
  /** Whether there was a key, though one of no use. */
  readonly sentKey: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request; `null` before that is known. */
    sender: Caller | Unauthenticated | null;
  }
}

export function isUnauthenticated(sender: Caller | Unauthenticated): sender is Unauthenticated {
  return 'refusal' in sender;
}

/** Whose request it is, on a route that is not open. */
export function callerOf({ sender, routeOptions }: FastifyRequest): Caller {
  if (sender === null || isUnauthenticated(sender)) throw new Error(`${routeOptions.url} was left open`);
  return sender;
}

/** For whom is counted what a request takes: its caller, or its address where no callers are known. */
export function holderOf({ sender, ip }: FastifyRequest): string {
  const isKnown = sender !== null && !isUnauthenticated(sender) && sender !== ANONYMOUS;
  if (isKnown) return `caller:${sender.name}`;
  return `address:${ip.includes(':') ? normalizeIP(ip) : ip}`;
}
