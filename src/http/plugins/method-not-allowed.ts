import type { FastifyInstance, HTTPMethods } from 'fastify';
import { ProblemError } from '../../problems.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * Answers 405 with `Allow` (RFC 9110 §15.5.6) where a path is known and the method is not. Call it after the
 * routes were registered on `app`, with what `onRoute` saw of them.
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  routes: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  for (const [url, allowed] of routes) {
    const others = METHODS.filter((method) => !allowed.has(method));
    const allow = [...allowed].sort().join(', ');
    app.route({
      method: others as unknown as HTTPMethods[],
      url,
      exposeHeadRoute: false,
      schema: { hide: true },
      // Before the body is read: what it holds does not matter.
      onRequest: async (request) => {
        throw new ProblemError('method-not-allowed', `${request.method} is not allowed here; ${allow} is.`, {
          headers: { allow },
        });
      },
      handler: async () => undefined,
    });
  }
}

/** Notes the methods of every route registered on `app` from now on. */
export function noteMethods(app: FastifyInstance): Map<string, Set<string>> {
  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set();
    routes.set(url, methods);
    for (const each of [method].flat()) methods.add(each);
  });
  return routes;
}
