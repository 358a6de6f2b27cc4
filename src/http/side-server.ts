import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { completeRoutes } from './access/access.js';
import { type BaseOptions, buildBase } from './base.js';
import { refuseUnrouted } from './plugins/method-not-allowed.js';
import { Problem } from './schemas/problem.js';

/** A server beside that for callers, who need not reach it, for some routes alone. Not listening yet. */
export async function buildSideServer<Options extends object>(
  options: Pick<BaseOptions, 'log' | 'maxConnections'>,
  routes: FastifyPluginAsync<Options>,
  routeOptions: Options,
): Promise<FastifyInstance> {
  const connections = { opened() {}, closed() {}, dropped() {} };
  const app = buildBase({ ...options, connections, isTrustedProxy: null, publicUrl: null });
  app.addSchema(Problem);
  refuseUnrouted(app);
  completeRoutes(app);
  await app.register(routes, routeOptions);
  return app;
}
