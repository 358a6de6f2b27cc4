import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../problems.js';
import { noRoute, pathOf } from './problems.js';

/**
 * Answers 405 with `Allow` where a path is one of a route and the method is not (RFC 9110 §15.5.6), 404 where it is none, both
 * before the body is read: what it holds does not matter. Call it before routes are added.
 */
export function refuseUnrouted(app: FastifyInstance): void {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(
      `^${url
        .replaceAll('.', '\\.')
        .replace(/:[^/]+/g, '[^/]+')
        .replace('*', '.*')}$`,
    );
    const route = routes.get(url) ?? { pattern, methods: new Set() };
    routes.set(url, route);
    for (const each of [method].flat()) route.methods.add(each);
  });
  app.addHook('onRequest', async ({ is404, method, raw }, reply) => {
    const path = pathOf(raw);
    // Of the whole server, not of a resource (RFC 9110 §9.3.7).
    if (method === 'OPTIONS' && path === '*') return reply.code(204).send();
    // What is at this very path goes before what another method has at a pattern, such as an id.
    const route =
      routes.get(path) ?? (is404 && [...routes.values()].find(({ pattern }) => pattern.test(path)));
    if (route && !route.methods.has(method)) {
      const allow = [...route.methods].sort().join(', ');
      throw new ProblemError('method-not-allowed', `${method} is not allowed here; ${allow} is.`, {
        headers: { allow },
      });
    }
    if (is404) throw noRoute();
  });
}
