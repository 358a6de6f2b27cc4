import { METHODS } from 'node:http';
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { ProblemError } from '../../problems.js';

/**
 * Answers 405 with `Allow` (RFC 9110 §15.5.6) where a path is known and the method is not. Call it after the
 * routes were registered on `app`, with what {@link notePaths} noted of them.
 */
export function refuseOtherMethods(app: FastifyInstance, paths: ReadonlySet<string>): void {
  // Every method that Node can read; CONNECT never becomes a request.
  const methods = METHODS.filter((method) => method !== 'CONNECT') as HTTPMethods[];
  for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  for (const url of paths) {
    const allowed = methods.filter((method) => app.hasRoute({ url, method }));
    const refused = methods.filter((method) => !allowed.includes(method));
    // Whoever registered the path has seen to it.
    if (refused.length === 0) continue;
    const allow = allowed.sort().join(', ');
    app.route({
      method: refused,
      url: url.slice(app.prefix.length),
      exposeHeadRoute: false,
      config: { access: 'open' },
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

/** Notes the path of every route registered on `app` from now on. */
export function notePaths(app: FastifyInstance): Set<string> {
  const paths = new Set<string>();
  app.addHook('onRoute', ({ url }) => {
    paths.add(url);
  });
  return paths;
}
