import accepts from '@fastify/accepts';
import type { FastifyInstance } from 'fastify';
import { completeRoutes } from './access.js';
import { type BaseOptions, buildBase } from './base.js';
import { readRoutes } from './dropin/reads.js';
import { PREFIX } from './dropin/refusals.js';
import { submitRoutes } from './dropin/submit.js';
import { HeldRequests } from './held-requests.js';
import { type AuthOptions, enforceRules, identifySenders } from './plugins/authenticate.js';
import { readBodies } from './plugins/body.js';
import { documentApi } from './plugins/docs.js';
import { limitRequests, type RequestLimits } from './plugins/limits.js';
import { refuseUnrouted } from './plugins/method-not-allowed.js';
import { endSlowUploads } from './plugins/uploads.js';
import { avatarRoutes } from './routes/avatars.js';
import { changeRoutes } from './routes/changes.js';
import { checkRoutes } from './routes/check.js';
import { eventRoutes } from './routes/events.js';
import { healthRoutes } from './routes/health.js';
import { listRoutes } from './routes/list.js';
import { type MetricsSource, metricsRoutes } from './routes/metrics.js';
import type { RouteOptions } from './routes/options.js';
import { usageRoutes } from './routes/usage.js';
import { videoRoutes } from './routes/video.js';

export interface HttpOptions extends BaseOptions, Omit<RouteOptions, 'held'> {
  readonly metrics: MetricsSource;
  /** Whether health and metrics have a server of their own. */
  readonly isManagedElsewhere: boolean;
  readonly auth: AuthOptions;
  readonly limits: RequestLimits;
  /** How long a body may gain next to nothing. */
  readonly uploadStallMs: number;
  /** Requests that wait, and event streams, held at once. */
  readonly maxWaiters: number;
  readonly version: string;
}

/** In the form of Modellix, so that its clients can be pointed here: the same avatars as at `/avatars`. */
const DROP_IN = [submitRoutes, readRoutes];
const API = [avatarRoutes, listRoutes, changeRoutes, eventRoutes, checkRoutes, usageRoutes, videoRoutes];

/** The HTTP face of a gateway: not listening yet. The load order reads top to bottom. */
export async function buildServer(options: HttpOptions): Promise<FastifyInstance> {
  const { gateway, metrics, isManagedElsewhere, auth, limits, uploadStallMs, maxWaiters, version } = options;
  const { videoStallMs, requireIdempotencyKey, publicUrl } = options;
  const app = buildBase(options);
  await app.register(accepts);
  identifySenders(app, auth);
  await limitRequests(app, limits);
  refuseUnrouted(app);
  enforceRules(app, auth);

  await documentApi(app, version);
  completeRoutes(app);
  const held = new HeldRequests(maxWaiters, auth.callers);
  const routeOptions: RouteOptions = { gateway, held, videoStallMs, requireIdempotencyKey, publicUrl };
  await app.register(async (api) => {
    endSlowUploads(api, uploadStallMs);
    await readBodies(api, gateway.memory);
    for (const routes of API) await api.register(routes, routeOptions);
    for (const routes of DROP_IN) await api.register(routes, { ...routeOptions, prefix: PREFIX });
  });
  if (!isManagedElsewhere) {
    await app.register(healthRoutes, { gateway });
    await app.register(metricsRoutes, { metrics });
  }
  return app;
}
