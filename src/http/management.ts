import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway/gateway.js';
import { completeRoutes } from './access.js';
import { type BaseOptions, buildBase } from './base.js';
import { MAX_MANAGEMENT_CONNECTIONS } from './connection-limits.js';
import { refuseUnrouted } from './plugins/method-not-allowed.js';
import { healthRoutes } from './routes/health.js';
import { type MetricsSource, metricsRoutes } from './routes/metrics.js';
import { Problem } from './schemas/problem.js';

export interface ManagementOptions extends Pick<BaseOptions, 'log'> {
  readonly gateway: Gateway;
  readonly metrics: MetricsSource;
}

const UNCOUNTED = { opened() {}, closed() {}, dropped() {} };

/** A server for whoever runs the gateway, which callers need not reach: health and metrics. Not listening yet. */
export async function buildManagement({
  gateway,
  metrics,
  log,
}: ManagementOptions): Promise<FastifyInstance> {
  const app = buildBase({
    log,
    maxConnections: MAX_MANAGEMENT_CONNECTIONS,
    connections: UNCOUNTED,
    isTrustedProxy: null,
    publicUrl: null,
  });
  app.addSchema(Problem);
  refuseUnrouted(app);
  completeRoutes(app);
  await app.register(healthRoutes, { gateway });
  await app.register(metricsRoutes, { metrics });
  return app;
}
