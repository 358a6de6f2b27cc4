import accepts from '@fastify/accepts';
import type { FastifyInstance } from 'fastify';
import { completeRoutes } from './access/access.js';
import { type BaseOptions, buildBase } from './base.js';
import { PREFIX } from './dropin/refusals.js';
import { dropInRoutes } from './dropin/routes.js';
import { type AuthOptions, enforceRules, identifySenders } from './plugins/authenticate.js';
import { readBodies } from './plugins/body.js';
import { documentApi } from './plugins/docs.js';
import { limitRequests, type RequestLimits } from './plugins/limits.js';
import { refuseUnrouted } from './plugins/method-not-allowed.js';
import { endSlowUploads } from './plugins/uploads.js';
import { avatarRoutes } from './routes/avatars.js';
import { changeRoutes } from './routes/changes.js';
import { eventRoutes } from './routes/events.js';
import { listRoutes } from './routes/list.js';
import { type OperationsOptions, operationsRoutes } from './routes/operations.js';
import type { RouteOptions } from './routes/options.js';
import { pushRoutes } from './routes/pushes.js';
import { usageRoutes } from './routes/usage.js';
import { videoRoutes } from './routes/video.js';
import { HeldRequests } from './streams/held-requests.js';

export interface HttpOptions extends BaseOptions, Omit<RouteOptions, 'held'>, OperationsOptions {
  /** Whether health and metrics have a server of their own. */
  readonly isManagedElsewhere: boolean;
  /** Whether what Modellix pushes is taken here. */
  readonly takesPushes: boolean;
  readonly auth: AuthOptions;
  readonly limits: RequestLimits;
  /** How long a body may gain next to nothing. */
  readonly uploadStallMs: number;
  /** Requests that wait, and event streams, held at once. */
  readonly maxWaiters: number;
  readonly version: string;
}

const API = [avatarRoutes, listRoutes, changeRoutes, eventRoutes, usageRoutes, videoRoutes];

/** The HTTP face of a gateway: not listening yet. The load order reads top to bottom. */
export async function buildServer(options: HttpOptions): Promise<FastifyInstance> {
  const {
    gateway,
    metrics,
    isManagedElsewhere,
    takesPushes,
    auth,
    limits,
    uploadStallMs,
    maxWaiters,
    version,
  } = options;
  const app = buildBase(options);
  await app.register(accepts);
  identifySenders(app, auth);
  await limitRequests(app, limits);
  refuseUnrouted(app);
  enforceRules(app, auth);

  await documentApi(app, version);
  completeRoutes(app);
  const routeOptions: RouteOptions = { ...options, held: new HeldRequests(app, maxWaiters, auth.callers) };
  await app.register(async (api) => {
    endSlowUploads(api, uploadStallMs);
    await readBodies(api, gateway.memory);
    for (const routes of API) await api.register(routes, routeOptions);
    await api.register(dropInRoutes, { ...routeOptions, prefix: PREFIX });
  });
  if (takesPushes) await app.register(pushRoutes, { gateway, uploadStallMs });
  if (!isManagedElsewhere) await app.register(operationsRoutes, { gateway, metrics });
  return app;
}
