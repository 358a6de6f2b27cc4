import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Gateway } from '../../gateway/gateway.js';
import { ProblemError } from '../../problems.js';
import { answer, ON_ITS_OWN_PORT, problems } from '../schemas/responses.js';
import { AnyInteger, AnyString, Nullable, NullableTime, Word } from '../schemas/types.js';

const Liveness = Type.Object({ status: Type.String() });

const Readiness = Type.Object({
  status: Type.String(),
  breaker: Word(
    ['closed', 'open'],
    '`open`: calls are held back, since Modellix failed again and again, or has no route for submits.',
  ),
  submit_path: Type.Object({
    state: Word(
      ['ok', 'no_route'],
      '`no_route`: Modellix has no route for any form of the path, and the queue is held.',
    ),
    path: AnyString('What submits go by, or are tried by.'),
    advice: Nullable(Type.String(), 'What to do about it.'),
  }),
  queued: AnyInteger('Avatars that wait to be submitted.'),
  keys: Type.Array(
    Type.Object({
      id: AnyString('A digest of the key.'),
      state: Word(
        ['ok', 'paused', 'resting'],
        '`paused`: Modellix asked to wait. `resting`: Modellix does not accept the key, or its balance is used up.',
      ),
      until: NullableTime('When that ends.'),
      unfinished_tasks: Type.Integer(),
      tasks_limit: Type.Integer(),
      calls_per_minute_limit: Type.Integer(),
    }),
    { description: 'The keys of the pool, as far as is known.' },
  ),
});

const NO_ROUTE = 'Set MODELLIX_SUBMIT_PATH to the path that the reference of Modellix names.';

export interface OperationsOptions {
  readonly gateway: Gateway;
  /** What a scrape gets, in the Prometheus text format. */
  readonly metrics: { render(): Promise<{ readonly type: string; readonly text: string }> };
}

/** For the orchestrator: whether to restart the process (`livez`), whether to send it requests (`readyz`); and metrics. */
export const operationsRoutes: FastifyPluginAsyncTypebox<OperationsOptions> = async (
  app,
  { gateway, metrics },
) => {
  app.get(
    '/livez',
    {
      logLevel: 'warn',
      config: { access: 'open', rateLimit: false },
      schema: {
        operationId: 'livez',
        tags: ['operations'],
        summary: 'Whether the process runs',
        description: ON_ITS_OWN_PORT,
        response: { 200: answer('It does.', { 'application/json': { schema: Liveness } }) },
      },
    },
    async () => ({ status: 'alive' }),
  );

  app.get(
    '/readyz',
    {
      logLevel: 'fatal',
      config: { access: 'open', rateLimit: false },
      schema: {
        operationId: 'readyz',
        tags: ['operations'],
        summary: 'Whether avatars can be accepted',
        description: ON_ITS_OWN_PORT,
        response: {
          200: answer('They can: the store can be written to. How Modellix stands beside it.', {
            'application/json': { schema: Readiness },
          }),
          ...problems(503),
        },
      },
    },
    async () => {
      await gateway.ready();
      const upstream = await gateway.upstream();
      if (upstream === null) throw new ProblemError('not-ready', 'The task store cannot be reached.');
      const { breaker, submitPath, queued, keys } = upstream;
      return {
        status: 'ready',
        breaker,
        submit_path: {
          state: submitPath.isHeld ? ('no_route' as const) : ('ok' as const),
          path: submitPath.path,
          advice: submitPath.isHeld ? NO_ROUTE : null,
        },
        queued,
        keys: keys.map((key) => ({
          id: key.id,
          state: key.state,
          until: key.until === null ? null : new Date(key.until).toISOString(),
          unfinished_tasks: key.unfinished,
          tasks_limit: key.tasks,
          calls_per_minute_limit: key.callsPerMinute,
        })),
      };
    },
  );

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
