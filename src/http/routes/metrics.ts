import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answer, ON_ITS_OWN_PORT, problems } from '../schemas/responses.js';

/** What a scrape gets, in the Prometheus text format. */
export interface MetricsSource {
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

export const metricsRoutes: FastifyPluginAsyncTypebox<{ metrics: MetricsSource }> = async (
  app,
  { metrics },
) => {
  app.get(
    '/metrics',
    {
      logLevel: 'warn',
      config: { access: 'open', rateLimit: false },
      schema: {
        operationId: 'metrics',
        tags: ['operations'],
        summary: 'Counters and gauges of this process',
        description: `In the Prometheus text format. ${ON_ITS_OWN_PORT}`,
        response: {
          200: answer('The metrics.', { 'text/plain': { schema: Type.String() } }),
          ...problems(500),
        },
      },
    },
    async (_request, reply) => {
      const { type, text } = await metrics.render();
      return reply.header('content-type', type).serializer(String).send(text);
    },
  );
};
