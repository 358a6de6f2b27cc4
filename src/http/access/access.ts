import type { FastifyInstance, RouteOptions } from 'fastify';
import { requireAccept } from '../accept.js';
import { isDropIn } from '../dropin/refusals.js';
import { refusals } from '../dropin/schemas.js';
import { problems } from '../schemas/responses.js';
import { noQuery } from '../schemas/types.js';

/** Who may call a route: whoever has a key, or that or a link, an admin alone, or everybody. The route itself checks links. */
export type Access = 'caller' | 'link' | 'admin' | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has to say so: see {@link completeRoutes}. */
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

type Answers = Readonly<Record<string, { readonly content?: object }>>;

/**
 * For every route of `app` from now on: adds what goes for all of its kind, to the document and to what is checked. One that
 * does not say who may call it fails the start.
 */
export function completeRoutes(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { schema, config, url } = route;
    if (config?.access === undefined)
      throw new Error(`${route.method} ${url} does not say in its config who may call it`);
    if (schema === undefined || schema.hide === true) return;
    const isOpen = config.access === 'open';
    const own = (schema.response ?? {}) as Answers;
    const common = isDropIn(url)
      ? refusals(...(isOpen ? [] : [401, 403]))
      : problems(...statusesOf(route, own));
    route.schema = {
      // Without callers no key is needed.
      security: isOpen ? [] : [{ key: [] }, {}],
      ...(!isDropIn(url) && { querystring: noQuery }),
      ...schema,
      response: { ...common, ...own },
    };
    if (!isOpen && !isDropIn(url) && types(own).includes('application/json')) {
      route.onRequest = [requireAccept('application/json'), ...[route.onRequest ?? []].flat()];
    }
  });
}

/** The problems that any route of this kind may answer with. */
function statusesOf({ schema, config, url }: RouteOptions, own: Answers): number[] {
  if (config?.access === 'open') return [400];
  return [
    ...[400, 401, 403, 429, 500, 503],
    ...(url.includes('/:id') ? [404] : []),
    ...(types(own).length > 0 ? [406] : []),
    ...(schema?.body ? [408, 413, 415, 422] : []),
    ...(config?.takesNoBody ? [415] : []),
  ];
}

function types(answers: Answers): string[] {
  return Object.entries(answers).flatMap(([status, { content = {} }]) =>
    status < '3' ? Object.keys(content) : [],
  );
}
