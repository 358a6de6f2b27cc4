import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { RouteOptions } from '../routes/options.js';
import { readRoutes } from './reads.js';
import { submitRoutes } from './submit.js';

export interface DropInOptions {
  readonly routeOptions: RouteOptions;
  /** Has the routes of a scope read bodies. */
  readonly takeBodies: (scope: FastifyInstance) => Promise<void>;
}

/**
 * The routes of Modellix, so that its clients can be pointed here: the same paths, answers and errors, the same avatars as
 * at `/avatars`.
 */
export const dropInRoutes: FastifyPluginAsync<DropInOptions> = async (app, { routeOptions, takeBodies }) => {
  await app.register(async (scope) => {
    await takeBodies(scope);
    await scope.register(submitRoutes, routeOptions);
  });
  await app.register(readRoutes, routeOptions);
};
