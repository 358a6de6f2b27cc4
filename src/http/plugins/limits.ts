import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems.js';
import { holderOf, isUnauthenticated } from '../access/caller.js';
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
  /** What becomes of requests while replicas cannot count together. */
  readonly fails: 'open' | 'closed';
  readonly counts: RequestCounts;
}

/** Holds callers to their requests a minute, and addresses where nobody is known: keys are not to be guessed. */
export async function limitRequests(
  app: FastifyInstance,
  { requestsPerMinute, fails, counts }: RequestLimits,
): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    timeWindow: WINDOW_MS,
    keyGenerator: holderOf,
    max: ({ sender }: FastifyRequest) =>
      (sender !== null && !isUnauthenticated(sender) && sender.requestsPerMinute) || requestsPerMinute,
    store: class implements FastifyRateLimitStore {
      incr(...[holder, done]: Parameters<FastifyRateLimitStore['incr']>): void {
        const { count, leftMs } = counts.add(holder);
        done(null, { current: count, ttl: leftMs });
      }

      child(): FastifyRateLimitStore {
        return this;
      }
    },
  });
  const count = app.createRateLimit();
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.rateLimit === false) return;
    if (counts.failure !== null && fails === 'closed') throw uncounted(counts);
    const counted = await count(request);
    if (counted.isAllowed) return;
    const { max: limit, remaining, ttlInSeconds: resetSeconds, key: holder } = counted;
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
    if (!counted.isExceeded) return;
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
