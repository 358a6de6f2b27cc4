import accepts from '@fastify/accepts';
import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway/gateway.js';
import { describeRules, requireRules } from './access.js';
import { type BaseOptions, buildBase } from './base.js';
import { PREFIX } from './dropin/refusals.js';
import { dropInRoutes } from './dropin/routes.js';
import { HeldRequests } from './held-requests.js';
import { type Doors, enforceRules, identifySenders } from './plugins/authenticate.js';
import { readBodies } from './plugins/body.js';
import { documentApi } from './plugins/docs.js';
import { limitRequests, type RequestLimits } from './plugins/limits.js';
import { notePaths, refuseOtherMethods } from './plugins/method-not-allowed.js';
import { endSlowUploads } from './plugins/uploads.js';
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

export interface HttpOptions extends BaseOptions {
  readonly gateway: Gateway;
  readonly metrics: MetricsSource;
  /** Whether health and metrics have a server of their own. */
  readonly isManagedElsewhere: boolean;
  readonly doors: Doors;
  readonly limits: RequestLimits;
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
  maxConnections,
  connections,
  isTrustedProxy,
  isManagedElsewhere,
  doors,
  limits,
  uploadStallMs,
  videoStallMs,
  maxWaiters,
  requireIdempotencyKey,
  publicUrl,
  version,
}: HttpOptions): Promise<FastifyInstance> {
  const app = buildBase({ log, maxConnections, connections, isTrustedProxy });
  await app.register(accepts);
  identifySenders(app, doors);
  await limitRequests(app, limits);
  enforceRules(app, doors);

  const paths = notePaths(app);
  describeRules(app);
  await documentApi(app, version);
  requireRules(app);
  const takeBodies = async (scope: FastifyInstance) => {
    endSlowUploads(scope, uploadStallMs);
    await readBodies(scope, gateway.memory);
  };
  const held = new HeldRequests(maxWaiters, doors.callers);
  await app.register(async (api) => {
    await takeBodies(api);
    await api.register(avatarRoutes, { gateway, held, requireIdempotencyKey });
    await api.register(listRoutes, { gateway });
    await api.register(cancelRoutes, { gateway });
    await api.register(forgetRoutes, { gateway });
    await api.register(eventRoutes, { gateway, held });
    await api.register(checkRoutes, { gateway });
    await api.register(resolveRoutes, { gateway });
    await api.register(deliveryRoutes, { gateway });
    await api.register(usageRoutes, { gateway });
    await api.register(videoRoutes, { gateway, videoStallMs });
  });
  await app.register(dropInRoutes, {
    prefix: PREFIX,
    gateway,
    held,
    requireIdempotencyKey,
    publicUrl,
    takeBodies,
  });
  if (!isManagedElsewhere) {
    await app.register(healthRoutes, { gateway });
    await app.register(metricsRoutes, { metrics });
  }
  refuseOtherMethods(app, new Set(paths));
  return app;
}
