import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { Gateway } from '../../gateway/gateway.js';
import type { HeldRequests } from '../held-requests.js';
import { notePaths, refuseOtherMethods } from '../plugins/method-not-allowed.js';
import { answerAsModellix } from './errors.js';
import { readRoutes } from './reads.js';
import { submitRoutes } from './submit.js';

export interface DropInOptions {
  readonly gateway: Gateway;
  readonly held: HeldRequests;
  readonly requireIdempotencyKey: boolean;
  /** What absolute URLs begin with; `null`: the host that a request was sent to. */
  readonly publicUrl: string | null;
  /** Has the routes of a scope read bodies. */
  readonly takeBodies: (scope: FastifyInstance) => Promise<void>;
}

/**
 * The routes of Modellix, so that its clients can be pointed here: the same paths, answers and errors, the same avatars as
 * at `/avatars`.
 */
export const dropInRoutes: FastifyPluginAsync<DropInOptions> = async (app, options) => {
  const { gateway, held, requireIdempotencyKey, publicUrl, takeBodies } = options;
  answerAsModellix(app);
  const paths = notePaths(app);
  await app.register(async (scope) => {
    await takeBodies(scope);
    await scope.register(submitRoutes, { gateway, requireIdempotencyKey, publicUrl });
  });
  await app.register(readRoutes, { gateway, held, publicUrl });
  refuseOtherMethods(app, new Set(paths));
};
