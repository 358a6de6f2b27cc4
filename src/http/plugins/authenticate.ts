import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANONYMOUS, type Caller, type CallerDirectory } from '../../domain/caller.js';
import { ProblemError } from '../../problems.js';
import { isStranger, type Stranger } from '../caller.js';
import { type Credentials, takeCredentials } from '../credentials.js';
import { whyElsewhere } from '../this-machine.js';

/** RFC 6750 §3: a challenge has a parameter at least. */
export const CHALLENGE = 'Bearer realm="avatar-gateway"';

export interface Doors {
  /** `null`: no callers are known. */
  readonly callers: CallerDirectory | null;
  /** Without callers: whether whoever reaches the gateway is served, or this machine alone. */
  readonly servesAnyone: boolean;
}

/** Finds out who sends a request, on every route, and refuses nobody yet: what is asked in vain is counted first. */
export function identifySenders(app: FastifyInstance, { callers, servesAnyone }: Doors): void {
  app.decorateRequest('sender', null);
  app.addHook('onRequest', async (request) => {
    const credentials = takeCredentials(request.raw);
    if (callers !== null) request.sender = holderOf(credentials, callers);
    else request.sender = servesAnyone ? ANONYMOUS : neighbour(request);
  });
}

/** Refuses who may not call a route, before anything else of the request is looked at. */
export function enforceRules(app: FastifyInstance, { callers }: Doors): void {
  app.addHook('onRequest', async ({ sender, query, routeOptions: { config } }) => {
    if (config.access === 'open') return;
    if (sender === null) throw new Error('nobody has found out who calls');
    if (isStranger(sender)) {
      // A link stands in for a key. Where none is asked for, whoever is refused is so for where it is.
      if (callers !== null && config.access === 'link' && 'signature' in (query as object)) return;
      throw sender.refusal;
    }
    // Where no callers are known nobody is an admin, and somebody has to be able to.
    if (config.access === 'admin' && callers !== null && !sender.admin) {
      throw new ProblemError('forbidden', 'Only the key of an admin is good for this.');
    }
  });
}

function holderOf(credentials: Credentials, callers: CallerDirectory): Caller | Stranger {
  switch (credentials.kind) {
    case 'none':
      return stranger('No key was sent: send `Authorization: Bearer <your key>`.');
    case 'unreadable':
      return stranger('Send one `Authorization` header, in exactly this form: `Bearer <your key>`.');
    case 'key': {
      const identified = callers.identify(credentials.key);
      if (identified.kind === 'known') return identified.caller;
      return stranger(identified.kind === 'expired' ? 'The key has expired.' : 'The key is not known.', true);
    }
  }
}

function stranger(detail: string, sentKey = false): Stranger {
  const challenge = sentKey ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE;
  const headers = { 'www-authenticate': challenge };
  return { refusal: new ProblemError('unauthorized', detail, { headers }), sentKey };
}

function neighbour(request: FastifyRequest): Caller | Stranger {
  const reason = whyElsewhere(request);
  if (reason === null) return ANONYMOUS;
  const detail = `This gateway knows no callers and serves its own machine alone, and ${reason}.`;
  return { refusal: new ProblemError('forbidden', detail), sentKey: false };
}
