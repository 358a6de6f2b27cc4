import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import accepts from '@fastify/accepts';
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway/gateway.js';
import { ProblemError } from '../problems.js';
import { sendRefusal } from './dropin/errors.js';
import { withoutFileName } from './dropin/file-name.js';
import { isDropIn, PREFIX } from './dropin/refusals.js';
import { dropInRoutes } from './dropin/routes.js';
import { readBodies } from './plugins/body.js';
import { ClientErrors } from './plugins/client-errors.js';
import { endConnections } from './plugins/connections.js';
import { documentApi } from './plugins/docs.js';
import { notePaths, refuseOtherMethods } from './plugins/method-not-allowed.js';
import { answerWithProblems, sendProblem } from './plugins/problems.js';
import { endSlowUploads } from './plugins/uploads.js';
import { requireWellFormed } from './plugins/well-formed.js';
import { avatarRoutes } from './routes/avatars.js';
import { cancelRoutes } from './routes/cancel.js';
import { checkRoutes } from './routes/check.js';
import { deliveryRoutes } from './routes/deliveries.js';
import { eventRoutes } from './routes/events.js';
import { forgetRoutes } from './routes/forget.js';
import { healthRoutes } from './routes/health.js';
import { listRoutes } from './routes/list.js';
import { type MetricsSource, metricsRoutes } from './routes/metrics.js';
import { resolveRoutes } from './routes/resolve.js';
import { usageRoutes } from './routes/usage.js';
import { videoRoutes } from './routes/video.js';
import { buildSerializers } from './serializers.js';
import { validatorOptions } from './validation.js';
import { Waiters } from './waiters.js';

/** 10 MB and 5 MB (MiB) of media in base64, and room for the rest. */
const MAX_BODY_BYTES = Math.ceil(((10 + 5) * 1024 * 1024 * 4) / 3) + 512 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Node's default; a body of the largest size needs 70 kB/s to be in time. */
const REQUEST_TIMEOUT_MS = 300_000;

export interface HttpOptions {
  readonly gateway: Gateway;
  readonly metrics: MetricsSource;
  readonly log: FastifyBaseLogger;
  readonly rateLimitPerMinute: number;
  /** How long a body may gain next to nothing. */
  readonly uploadStallMs: number;
  /** How long a caller may take nothing of a video. */
  readonly videoStallMs: number;
  /** Requests that wait, and event streams, held at once. */
  readonly maxWaiters: number;
  readonly requireIdempotencyKey: boolean;
  /** How callers reach the gateway, for absolute URLs; `null`: as their requests say. */
  readonly publicUrl: string | null;
  readonly version: string;
}

/** The HTTP face of a gateway: not listening yet. The load order reads top to bottom. */
export async function buildServer({
  gateway,
  metrics,
  log,
  rateLimitPerMinute,
  uploadStallMs,
  videoStallMs,
  maxWaiters,
  requireIdempotencyKey,
  publicUrl,
  version,
}: HttpOptions): Promise<FastifyInstance> {
  const clientErrors = new ClientErrors(log);
  const app = Fastify({
    loggerInstance: log,
    genReqId: requestId,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false,
    },
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 100 },
    // A request that arrives while the server closes is still answered.
    return503OnClosing: false,
    ajv: validatorOptions,
    schemaController: { compilersFactory: { buildSerializer: buildSerializers } },
    clientErrorHandler: clientErrors.handle,
    frameworkErrors: (error, request, reply) =>
      isDropIn(request.url) ? sendRefusal(error, request, reply) : sendProblem(error, request, reply),
    rewriteUrl: ({ url = '/' }) => withoutFileName(url),
  }).withTypeProvider<TypeBoxTypeProvider>();

  endConnections(app);
  clientErrors.watch(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  requireWellFormed(app);
  answerWithProblems(app);
  await app.register(accepts);
  await app.register(rateLimit, {
    max: rateLimitPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) =>
      new ProblemError(
        'rate-limited',
        `More than ${rateLimitPerMinute} requests in a minute came from this address.`,
        {
          headers: { 'retry-after': String(Math.ceil(ttl / 1000)) },
        },
      ),
  });

  const paths = notePaths(app);
  await documentApi(app, version);
  const takeBodies = async (scope: FastifyInstance) => {
    endSlowUploads(scope, uploadStallMs);
    await readBodies(scope, (bytes) => gateway.holdMemory(bytes));
  };
  const waiters = new Waiters(maxWaiters);
  await app.register(async (api) => {
    await takeBodies(api);
    await api.register(avatarRoutes, { gateway, waiters, requireIdempotencyKey });
    await api.register(listRoutes, { gateway });
    await api.register(cancelRoutes, { gateway });
    await api.register(forgetRoutes, { gateway });
    await api.register(eventRoutes, { gateway, waiters });
    await api.register(checkRoutes, { gateway });
    await api.register(resolveRoutes, { gateway });
    await api.register(deliveryRoutes, { gateway });
    await api.register(usageRoutes, { gateway });
    await api.register(videoRoutes, { gateway, videoStallMs });
  });
  await app.register(dropInRoutes, {
    prefix: PREFIX,
    gateway,
    waiters,
    requireIdempotencyKey,
    publicUrl,
    takeBodies,
  });
  await app.register(healthRoutes, { gateway });
  await app.register(metricsRoutes, { metrics });
  refuseOtherMethods(app, new Set(paths));
  return app;
}

/** The caller's id where it is one that can stand in a header and a log; otherwise a new one. */
function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
}
