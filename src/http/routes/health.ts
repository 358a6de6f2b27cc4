import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Gateway } from '../../gateway/gateway.js';
import { commonHeaders, noQuery, problems } from '../schemas/responses.js';

const Health = Type.Object({ status: Type.String() });

/** For the orchestrator: whether to restart the process (`livez`), whether to send it requests (`readyz`). */
export const healthRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  const ok = (description: string) => ({
    description,
    headers: commonHeaders,
    content: { 'application/json': { schema: Health } },
  });

  app.get(
    '/livez',
    {
      logLevel: 'warn',
      config: { rateLimit: false },
      schema: {
        operationId: 'livez',
        tags: ['operations'],
        summary: 'Whether the process runs',
        querystring: noQuery,
        response: { 200: ok('It does.'), ...problems(400) },
      },
    },
    async () => ({ status: 'alive' }),
  );

  app.get(
    '/readyz',
    {
      logLevel: 'fatal',
      config: { rateLimit: false },
      schema: {
        operationId: 'readyz',
        tags: ['operations'],
        summary: 'Whether avatars can be accepted',
        querystring: noQuery,
        response: { 200: ok('They can: the store can be written to.'), ...problems(400, 503) },
      },
    },
    async () => {
      await gateway.ready();
      return { status: 'ready' };
    },
  );
};
