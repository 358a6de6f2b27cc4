import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { securitySchemes } from '../access/access.js';
import { AvatarView, CheckView, formEncoding } from '../schemas/avatar.js';
import { DeliveriesView } from '../schemas/deliveries.js';
import { AvatarList } from '../schemas/list.js';
import { CallbackMessage, webhooks } from '../schemas/message.js';
import { Problem } from '../schemas/problem.js';
import { noQuery } from '../schemas/types.js';
import { UsageView } from '../schemas/usage.js';
import { allowPage } from './headers.js';

const NAMED = [Problem, AvatarView, AvatarList, CheckView, DeliveriesView, UsageView, CallbackMessage];

/** `/openapi.json` and `/docs`, made from the schemas of the routes that are registered afterwards. */
export async function documentApi(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of NAMED) app.addSchema(schema);
  await app.register(swagger, {
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, index) => String($id ?? `schema-${index}`),
    },
    transformObject: (made) => filledIn('openapiObject' in made ? made.openapiObject : made.swaggerObject),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'avatar-gateway',
        version,
        summary: "Talking avatars through Modellix's kling-avatar, each paid for at most once.",
        description:
          'Post a portrait and speech, read the avatar until it has succeeded, fetch the video. Every error is a problem as of RFC 9457.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: { securitySchemes },
      webhooks,
      servers: [{ url: app.basePath || '/', description: 'This gateway' }],
      tags: [
        { name: 'avatars', description: 'Make talking avatars and fetch them.' },
        { name: 'callbacks', description: 'Who is told of the end, and how that went.' },
        { name: 'usage', description: 'What was spent.' },
        { name: 'drop-in', description: 'The same avatars in the form of Modellix, for its clients.' },
        { name: 'operations', description: 'For whoever runs the gateway.' },
      ],
    },
  });
  await app.register(async (pages) => {
    // The plugin makes these routes, and cannot be told.
    pages.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'open' };
    });
    await pages.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: app.basePath,
      uiHooks: { onRequest: allowPage },
      uiConfig: { tryItOutEnabled: true, docExpansion: 'list' },
      // Its address field is for other documents than this one.
      theme: {
        title: 'avatar-gateway',
        css: [{ filename: 'theme.css', content: '.swagger-ui .topbar { display: none }' }],
      },
    });
  });
  const schema = { hide: true, querystring: noQuery };
  app.get('/openapi.json', { config: { access: 'open' }, schema }, async () => app.swagger());
}

/** As much of the document as {@link filledIn} knows. */
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

interface Operation {
  readonly parameters?: { readonly schema?: object & { style?: string; explode?: boolean } }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { encoding?: object }>> };
}

/** Adds what the plugin leaves out: how forms are encoded, and lists in a query. */
function filledIn<T extends object>(document: T): T {
  const paths = Object.values((document as { paths?: Paths }).paths ?? {});
  for (const { requestBody, parameters = [] } of paths.flatMap((path) => Object.values(path))) {
    const form = requestBody?.content['multipart/form-data'];
    if (form !== undefined) form.encoding = formEncoding;
    for (const parameter of parameters) {
      const { style, explode, ...schema } = parameter.schema ?? {};
      if (style !== undefined) Object.assign(parameter, { style, explode, schema });
    }
  }
  return document;
}
