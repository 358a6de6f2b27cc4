import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems.js';
import { holderOf, isUnauthenticated } from '../caller.js';
import { isDropIn } from '../dropin/refusals.js';
import { logOf } from '../log.js';
import { RequestCounts, type Share } from '../request-counts.js';

const WINDOW_MS = 60_000;
/** When it is worth to try again where replicas cannot count together, in seconds. */
const RETRY_AFTER_SECONDS = 2;

export interface RequestLimits {
  /** Of a caller that has no limit of its own, and of an address. */
  readonly requestsPerMinute: number;
  /** What becomes of requests while replicas cannot count together, those aside that make an avatar. */
  readonly fails: 'open' | 'closed';
  /** Has the other replicas know, and rejects in seconds at most; `null` where there are none. */
  readonly share: Share | null;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether money may be spent on it: while replicas cannot count together it is refused. */
    readonly makesAvatars?: boolean;
  }
}

/** Holds callers to their requests a minute, and addresses where nobody is known: keys are not to be guessed. */
export async function limitRequests(
  app: FastifyInstance,
  { requestsPerMinute, fails, share }: RequestLimits,
): Promise<void> {
  const counts = new RequestCounts(WINDOW_MS, share, (cause) => {
    logOf(app).warn(
      { err: cause },
      'requests are counted by this process alone: the store cannot be reached',
    );
  });
  app.addHook('onClose', async () => counts.close());
  await app.register(rateLimit, {
    global: false,
    timeWindow: WINDOW_MS,
    keyGenerator: holderOf,
    max: ({ sender }: FastifyRequest) =>
      (sender !== null && !isUnauthenticated(sender) && sender.requestsPerMinute) || requestsPerMinute,
    store: class implements FastifyRateLimitStore {
      incr(...[name, done]: Parameters<FastifyRateLimitStore['incr']>): void {
        const { count, leftMs } = counts.add(name);
        done(null, { current: count, ttl: leftMs });
      }

      child(): FastifyRateLimitStore {
        return this;
      }
    },
  });
  const count = app.createRateLimit();
  app.addHook('onRequest', async (request, reply) => {
    const { rateLimit, makesAvatars } = request.routeOptions.config;
    if (rateLimit === false) return;
    if (counts.failure !== null && (makesAvatars === true || fails === 'closed'))
      throw uncounted(counts.failure);
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

function uncounted(cause: unknown): ProblemError {
  const detail =
    'The task store cannot be reached: the request was not counted. Nothing was read and nothing made.';
  const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
  return new ProblemError('store-unavailable', detail, { cause, headers });
}
