import type { FastifyInstance } from 'fastify';
import { completeRoutes } from './access/access.js';
import { type BaseOptions, buildBase } from './base.js';
import { MAX_MANAGEMENT_CONNECTIONS } from './connection-limits.js';
import { refuseUnrouted } from './plugins/method-not-allowed.js';
import { type OperationsOptions, operationsRoutes } from './routes/operations.js';
import { Problem } from './schemas/problem.js';

type ManagementOptions = Pick<BaseOptions, 'log'> & OperationsOptions;

/** A server for whoever runs the gateway, which callers need not reach: health and metrics. Not listening yet. */
export async function buildManagement({ log, ...options }: ManagementOptions): Promise<FastifyInstance> {
  const app = buildBase({
    log,
    maxConnections: MAX_MANAGEMENT_CONNECTIONS,
    connections: { opened() {}, closed() {}, dropped() {} },
    isTrustedProxy: null,
    publicUrl: null,
  });
  app.addSchema(Problem);
  refuseUnrouted(app);
  completeRoutes(app);
  await app.register(operationsRoutes, options);
  return app;
}
