import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems.js';
import { holderOf, isUnauthenticated } from '../caller.js';
import { isDropIn } from '../dropin/refusals.js';
import { logOf } from '../log.js';

const WINDOW_MS = 60_000;
/** Requests that may be served without being counted wait no longer for it; others as long as the store's own time-out. */
const MAX_COUNT_MS = 250;
/** When it is worth to try again where nothing can be counted, in seconds. */
const RETRY_AFTER_SECONDS = 2;

export interface RequestLimits {
  /** Of a caller that has no limit of its own, and of an address. */
  readonly requestsPerMinute: number;
  /** What becomes of requests that cannot be counted, those aside that make an avatar. */
  readonly fails: 'open' | 'closed';
  /** Counts one more request under a name, in a window that begins with the first, for all replicas; rejects in seconds at most. */
  readonly hit: (
    name: string,
    windowMs: number,
  ) => Promise<{ readonly count: number; readonly leftMs: number }>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether money may be spent on it: where it cannot be counted it is refused. */
    readonly makesAvatars?: boolean;
  }
}

/** Holds callers to their requests a minute, and addresses where nobody is known: keys are not to be guessed. */
export async function limitRequests(
  app: FastifyInstance,
  { requestsPerMinute, fails, hit }: RequestLimits,
): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    timeWindow: WINDOW_MS,
    keyGenerator: holderOf,
    max: ({ sender }: FastifyRequest) =>
      (sender !== null && !isUnauthenticated(sender) && sender.requestsPerMinute) || requestsPerMinute,
    store: class implements FastifyRateLimitStore {
      incr(...[name, done, windowMs]: Parameters<FastifyRateLimitStore['incr']>): void {
        hit(name, windowMs).then(
          ({ count, leftMs }) => done(null, { current: count, ttl: leftMs }),
          (error: Error) => done(error),
        );
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
    const isRequired = makesAvatars === true || fails === 'closed';
    const counting = count(request);
    const counted = await (isRequired ? counting : inTime(counting)).catch((cause: unknown) => {
      logOf(request).warn({ err: cause }, 'a request could not be counted');
      if (isRequired) throw uncounted(cause);
    });
    if (counted === undefined || counted.isAllowed) return;
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

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no count within ${MAX_COUNT_MS} ms`));
    // Behind what has arrived meanwhile: it may be this process that was held up.
    const timer = setTimeout(() => setImmediate(late), MAX_COUNT_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
