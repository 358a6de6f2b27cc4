import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems.js';
import { holderOf, isUnauthenticated } from '../caller.js';
import { isDropIn } from '../dropin/refusals.js';

export const WINDOW_MS = 60_000;
/** When it is worth to try again where replicas cannot count together, in seconds. */
const RETRY_AFTER_SECONDS = 2;

/** Counts requests in windows of {@link WINDOW_MS}. */
export interface RequestCounts {
  /** Counts one more. `leftMs`: until the count begins anew. */
  add(holder: string): { readonly count: number; readonly leftMs: number };
  /** Why replicas cannot count together; `null` while they can. */
  readonly failure: unknown;
}

export interface RequestLimits {
  /** Of a caller that has no limit of its own, and of an address. */
  readonly requestsPerMinute: number;
  /** What becomes of requests while replicas cannot count together, those aside that make an avatar. */
  readonly fails: 'open' | 'closed';
  readonly counts: RequestCounts;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether money may be spent on it: while replicas cannot count together it is refused. */
    readonly makesAvatars?: boolean;
    /** Whether callers may ask as often as they like. */
    readonly isUncounted?: boolean;
  }
}

/** Holds callers to their requests a minute, and addresses where nobody is known: keys are not to be guessed. */
export function limitRequests(app: FastifyInstance, limits: RequestLimits): void {
  const { requestsPerMinute, fails, counts } = limits;
  const limitOf = ({ sender }: FastifyRequest): number =>
    (sender !== null && !isUnauthenticated(sender) && sender.requestsPerMinute) || requestsPerMinute;
  app.addHook('onRequest', (request, reply, done) => {
    const { isUncounted, makesAvatars } = request.routeOptions.config;
    if (isUncounted === true) return done();
    if (counts.failure !== null && (makesAvatars === true || fails === 'closed')) throw uncounted(counts);
    const holder = holderOf(request);
    const { count, leftMs } = counts.add(holder);
    const limit = limitOf(request);
    const remaining = Math.max(0, limit - count);
    const resetSeconds = Math.ceil(leftMs / 1000);
    const [kind = ''] = holder.split(':', 1);
    reply.headers({
      // RateLimit header fields for HTTP, draft-ietf-httpapi-ratelimit-headers-10.
      'ratelimit-policy': `"${kind}";q=${limit};w=${WINDOW_MS / 1000}`,
      ratelimit: `"${kind}";r=${remaining};t=${resetSeconds}`,
      // As in Modellix's answers: the reset is a time, in Unix seconds (contract, "Errors").
      ...(isDropIn(request.url) && {
        'x-ratelimit-limit': limit,
        'x-ratelimit-remaining': remaining,
        'x-ratelimit-reset': Math.ceil(Date.now() / 1000) + resetSeconds,
      }),
    });
    if (count <= limit) return done();
    const whose = kind === 'address' ? 'this address' : `the caller ${holder.slice('caller:'.length)}`;
    throw new ProblemError('rate-limited', `More than ${limit} requests in a minute came from ${whose}.`, {
      headers: { 'retry-after': String(resetSeconds) },
    });
  });
}

function uncounted({ failure: cause }: RequestCounts): ProblemError {
  const detail =
    'The task store cannot be reached: the request was not counted. Nothing was read and nothing made.';
  const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
  return new ProblemError('store-unavailable', detail, { cause, headers });
}
