import type { FastifyInstance } from 'fastify';
import { isDropIn } from './dropin/refusals.js';
import { refusals } from './dropin/schemas.js';
import { problems } from './schemas/responses.js';

/** Who may call a route: whoever has a key, or that or a link, an admin alone, or everybody. The route itself checks links. */
export type Access = 'caller' | 'link' | 'admin' | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has to say so: see {@link requireRules}. */
    readonly access: Access;
  }
}

/** The one way to say who calls, in the terms of OpenAPI. */
export const securitySchemes = {
  key: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The key that whoever runs the gateway gave you. A gateway that knows no callers asks for none, and serves its own machine alone or whoever reaches it.',
  },
} as const;

/** For every route of `app` from now on: one that does not say who may call it fails the start. */
export function requireRules(app: FastifyInstance): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined) {
      throw new Error(`${method} ${url} does not say in its config who may call it`);
    }
  });
}

/** For every route of `app` from now on: the document says what its rule means for who calls. */
export function describeRules(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { schema, config, url } = route;
    if (schema === undefined || schema.hide === true) return;
    if (config?.access === 'open') {
      route.schema = { security: [], ...schema };
      return;
    }
    const refused = isDropIn(url) ? refusals(401, 403) : problems(401, 403);
    const response = { ...refused, ...(schema.response as object) };
    // Without callers no key is needed.
    route.schema = { security: [{ key: [] }, {}], ...schema, response };
  });
}
