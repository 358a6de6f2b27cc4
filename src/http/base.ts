import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger } from 'fastify';
import { basePathOf, normalize } from './arrival.js';
import { CONNECTION_LIMITS } from './connection-limits.js';
import { RequestLog } from './log.js';
import { answerClientErrors, refuseConnect } from './plugins/client-errors.js';
import { type ConnectionCounts, limitConnections } from './plugins/connections.js';
import { addHeaders, BARE_HEADERS } from './plugins/headers.js';
import { lingerBeforeClose } from './plugins/lingering-close.js';
import { answerWithProblems, sendProblem } from './plugins/problems.js';
import { requireWellFormed } from './plugins/well-formed.js';
import { requestIdOf } from './request-id.js';
import { buildValidators } from './validation.js';

export interface BaseOptions {
  readonly log: FastifyBaseLogger;
  readonly maxConnections: number;
  readonly connections: ConnectionCounts;
  /** Whether `X-Forwarded-For`, `-Host` and `-Proto` are believed from this address; `null`: from none. */
  readonly isTrustedProxy: ((address: string) => boolean) | null;
  /** How callers reach the gateway, for links; `null`: as their requests say. */
  readonly publicUrl: string | null;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** What every link begins with: the path of PUBLIC_URL. */
    readonly basePath: string;
  }
}

/** A server without routes: what becomes of connections, of what is no good request, and of errors. */
export function buildBase({ log, maxConnections, connections, isTrustedProxy, publicUrl }: BaseOptions) {
  const basePath = basePathOf(publicUrl);
  const app = Fastify({
    loggerInstance: log,
    logController: new RequestLog(),
    genReqId: requestIdOf,
    trustProxy: isTrustedProxy ?? false,
    ...CONNECTION_LIMITS,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 100 },
    // A request that arrives while the server closes is still answered.
    return503OnClosing: false,
    schemaController: {
      // What a route answers with is written as it is: its schema is for the document and for the tests.
      compilersFactory: { buildSerializer: () => () => JSON.stringify, buildValidator: buildValidators },
    },
    clientErrorHandler: answerClientErrors(log),
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply.headers(BARE_HEADERS)),
    rewriteUrl: (request) => normalize(request, basePath),
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.decorate('basePath', basePath);
  limitConnections(app, maxConnections, connections);
  refuseConnect(app);
  addHeaders(app);
  lingerBeforeClose(app);
  requireWellFormed(app);
  answerWithProblems(app);
  return app;
}
