import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { ANONYMOUS, type Caller } from '../domain/caller.js';
import type { ProblemError } from '../problems.js';

/** Somebody who is no caller. */
export interface Stranger {
  /** Why not. */
  readonly refusal: ProblemError;
  /** Whether there was a key, though one of no use. */
  readonly sentKey: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, be it a stranger; `null` before that was found out. */
    sender: Caller | Stranger | null;
  }
}

export function isStranger(sender: Caller | Stranger): sender is Stranger {
  return 'refusal' in sender;
}

/** Whose request it is, on a route that strangers do not come to. */
export function callerOf({ sender, routeOptions }: FastifyRequest): Caller {
  if (sender === null || isStranger(sender)) throw new Error(`${routeOptions.url} was left open`);
  return sender;
}

/** For whom is counted what a request takes: its caller, or its address where no callers are known. */
export function holderOf({ sender, ip }: FastifyRequest): string {
  const isKnown = sender !== null && !isStranger(sender) && sender !== ANONYMOUS;
  return isKnown ? `caller:${sender.name}` : `address:${normalizeIP(ip)}`;
}
