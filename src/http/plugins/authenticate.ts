import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ANONYMOUS, type Caller, type CallerDirectory } from '../../domain/caller.js';
import { ProblemError } from '../../problems.js';
import { isUnauthenticated, type Unauthenticated } from '../access/caller.js';
import { type KeylessRules, keylessCheck } from '../access/this-machine.js';

/** RFC 6750 §3: a challenge has a parameter at least. */
const CHALLENGE = 'Bearer realm="avatar-gateway"';

export interface AuthOptions {
  /** `null`: no key is asked for. */
  readonly callers: CallerDirectory | null;
  readonly keyless: KeylessRules;
}

/** Finds out who sends a request, on every route, and refuses nobody yet: what is asked in vain is counted first. */
export function identifySenders(app: FastifyInstance, { callers, keyless }: AuthOptions): void {
  app.decorateRequest('sender', null);
  const whyRefused = keylessCheck(keyless);
  app.addHook('onRequest', (request, _reply, done) => {
    const credentials = takeCredentials(request.raw);
    if (callers !== null) request.sender = holderOf(credentials, callers);
    else request.sender = anonymous(whyRefused(request), keyless);
    done();
  });
}

/** Refuses who may not call a route, before anything else of the request is looked at. */
export function enforceRules(app: FastifyInstance, { callers }: AuthOptions): void {
  app.addHook('onRequest', ({ sender, query, routeOptions: { config } }, _reply, done) => {
    if (config.access === 'open') return done();
    if (sender === null) throw new Error('nobody has found out who calls');
    if (isUnauthenticated(sender)) {
      // A link stands in for a key. Where none is asked for, whoever is refused is so for where it is.
      if (callers !== null && config.access === 'link' && 'signature' in (query as object)) return done();
      throw sender.refusal;
    }
    // Where no callers are known nobody is an admin, and somebody has to be able to.
    if (config.access === 'admin' && callers !== null && !sender.admin) {
      throw new ProblemError('forbidden', 'Only the key of an admin is good for this.');
    }
    done();
  });
}

/** The `Authorization` headers of a request, which are taken out of it, so that nothing later can log a key. */
function takeCredentials({ headers, rawHeaders }: IncomingMessage): string[] {
  const sent: string[] = [];
  if (headers.authorization === undefined) return sent;
  for (const [at, name] of rawHeaders.entries()) {
    if (at % 2 === 1 || name.toLowerCase() !== 'authorization') continue;
    sent.push(rawHeaders[at + 1] ?? '');
    rawHeaders[at + 1] = '';
  }
  delete headers.authorization;
  return sent;
}

/** `Authorization: Bearer <key>`, spelled like this (RFC 6750 §2.1, though other schemes ignore case). */
function holderOf([value, ...more]: string[], callers: CallerDirectory): Caller | Unauthenticated {
  if (value === undefined) {
    return unauthenticated('No key was sent: send `Authorization: Bearer <your key>`.');
  }
  const key = more.length === 0 ? /^Bearer ([!-~]+)$/.exec(value)?.[1] : undefined;
  if (key === undefined) {
    return unauthenticated('Send one `Authorization` header, in exactly this form: `Bearer <your key>`.');
  }
  const identified = callers.identify(key);
  if (identified.kind === 'known') return identified.caller;
  const isExpired = identified.kind === 'expired';
  return unauthenticated(isExpired ? 'The key has expired.' : 'The key is not known.', true);
}

/** @param sentKey whether there was a key, though one of no use */
export function unauthenticated(detail: string, sentKey = false): Unauthenticated {
  const challenge = sentKey ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE;
  const headers = { 'www-authenticate': challenge };
  return { refusal: new ProblemError('unauthorized', detail, { headers }), sentKey };
}

function anonymous(reason: string | null, rules: KeylessRules): Caller | Unauthenticated {
  if (reason === null) return ANONYMOUS;
  const served = rules.isLocal ? 'serves its own machine alone' : 'asks for no key';
  const detail = `This gateway ${served}, and ${reason}.`;
  return { refusal: new ProblemError('forbidden', detail), sentKey: false };
}
