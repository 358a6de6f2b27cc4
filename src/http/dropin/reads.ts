import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Gateway } from '../../gateway/gateway.js';
import { ProblemError } from '../../problems.js';
import { callerOf } from '../caller.js';
import { baseOf } from './base.js';
import { modelsResponse, refusals, TaskParams, taskResponse, validResponse } from './schemas.js';
import { MODEL_ID, success, taskView } from './view.js';

const MODEL = {
  slug: `kling/${MODEL_ID}`,
  type: 'image-to-video',
  description: 'A talking avatar from a portrait and speech.',
  docs_url: `https://docs.modellix.ai/kling/${MODEL_ID}.md`,
};

interface Options {
  readonly gateway: Gateway;
  readonly publicUrl: string | null;
}

/** Query parameters are not looked at, as Modellix does not look at those it does not know. */
export const readRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { gateway, publicUrl }) => {
  app.get(
    '/tasks/:id',
    {
      schema: {
        operationId: 'getTask',
        tags: ['drop-in'],
        summary: 'Query a task',
        description: 'Answers from the store; it never makes a call to Modellix.',
        params: TaskParams,
        response: { 200: taskResponse, ...refusals(404, 429, 500, 503) },
      },
    },
    async (request, reply) => {
      const { avatar } = await gateway.read(callerOf(request), request.params.id);
      reply.header('cache-control', 'no-store');
      return success(taskView(avatar, baseOf(request, publicUrl)));
    },
  );

  app.get(
    '/apikey/validate',
    {
      schema: {
        operationId: 'validateApiKey',
        tags: ['drop-in'],
        summary: 'Whether you may call',
        description:
          'Whoever reaches the gateway may, with any key and without one. 503 while no task could be taken.',
        response: { 200: validResponse, ...refusals(429, 500, 503) },
      },
    },
    async () => {
      // Who is in front and probes before it submits again must not hear of a gateway that cannot take a task.
      await gateway.ready();
      return success({ is_valid: true });
    },
  );

  app.get(
    '/team/balance',
    {
      schema: {
        operationId: 'getTeamBalance',
        tags: ['drop-in'],
        summary: 'Not known here',
        description:
          'Callers have no balance with the gateway, and that of the account behind it is not theirs to see.',
        response: refusals(404, 429, 500),
      },
    },
    async () => {
      throw new ProblemError('not-found', 'This gateway keeps no balance for its callers.');
    },
  );

  app.get(
    '/models',
    {
      schema: {
        operationId: 'listModels',
        tags: ['drop-in'],
        summary: 'List the models',
        description: 'As Modellix answers it: without the envelope.',
        response: { 200: modelsResponse, ...refusals(429, 500) },
      },
    },
    async () => ({ models: [MODEL] }),
  );
};
