import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../problems.js';
import { noRoute, pathOf } from './problems.js';

/**
 * Answers 404 where a path is none of ours, and 405 with `Allow` where it is one and the method is not (RFC 9110 §15.5.6), both
 * before the body is read: what it holds does not matter. Call it before routes are added.
 */
export function refuseUnrouted(app: FastifyInstance): void {
  const patterns = new Map<string, RegExp>();
  app.addHook('onRoute', ({ url }) => {
    const pattern = url
      .replaceAll('.', '\\.')
      .replace(/:[^/]+/g, '[^/]+')
      .replace('*', '.*');
    patterns.set(url, new RegExp(`^${pattern}$`));
  });
  app.addHook('onRequest', ({ is404, method, raw, routeOptions }, reply, done) => {
    const path = pathOf(raw);
    // What stands at this very path goes before another method's pattern, which takes its last part for an id.
    if (!is404 && !(routeOptions.url?.includes(':') && patterns.has(path))) return done();
    // It asks about the server as a whole (RFC 9110 §9.3.7).
    if (method === 'OPTIONS' && path === '*') {
      reply.code(204).send();
      return;
    }
    const url = patterns.has(path)
      ? path
      : [...patterns.keys()].find((each) => patterns.get(each)?.test(path));
    if (url === undefined) throw noRoute();
    const allowed = app.supportedMethods.filter((each) => app.hasRoute({ url, method: each as 'GET' }));
    const allow = allowed.sort().join(', ');
    throw new ProblemError('method-not-allowed', `${method} is not allowed here; ${allow} is.`, {
      headers: { allow },
    });
  });
}
