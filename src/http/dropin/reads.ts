import { isFinal } from '../../domain/avatar.js';
import { scopeOf } from '../../domain/caller.js';
import { callerOf, isUnauthenticated } from '../caller.js';
import type { Routes } from '../routes/options.js';
import { baseOf } from './base.js';
import {
  balanceResponse,
  modelsResponse,
  refusals,
  TaskParams,
  TaskQuery,
  taskResponse,
  validResponse,
} from './schemas.js';
import { MODEL_ID, success, taskView } from './view.js';

const MODEL = {
  slug: `kling/${MODEL_ID}`,
  type: 'image-to-video',
  description: 'A talking avatar from a portrait and speech.',
  docs_url: `https://docs.modellix.ai/kling/${MODEL_ID}.md`,
};

/** As long as Modellix holds a query with `wait=true` (contract, "Query"). */
const LONG_POLL_MS = 45_000;

/** Query parameters that are not known are not looked at, as at Modellix. */
export const readRoutes: Routes = async (app, { gateway, held, publicUrl }) => {
  app.get(
    '/tasks/:id',
    {
      config: { access: 'caller' },
      schema: {
        operationId: 'getTask',
        tags: ['drop-in'],
        summary: 'Query a task',
        description:
          'Answers from the store; it never makes a call to Modellix. With `wait=true` it answers once the task has ended, or as it is after 45 s.',
        params: TaskParams,
        querystring: TaskQuery,
        response: { 200: taskResponse, ...refusals(404, 429, 500, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const scope = scopeOf(callerOf(request));
      const waiting = request.query.wait === 'true' ? held.hold(request, reply) : null;
      const within = { withinMs: LONG_POLL_MS, leaving: (leave: () => void) => waiting?.onEnd(leave) };
      const { avatar } = await (waiting === null
        ? gateway.read(scope, id)
        : gateway.wait(scope, id, within, ({ status }) => isFinal(status)));
      waiting?.requireKey();
      const link = avatar.video === null ? null : await gateway.videoLink(id);
      return success(taskView(avatar, baseOf(request, publicUrl), link));
    },
  );

  app.get(
    '/apikey/validate',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'validateApiKey',
        tags: ['drop-in'],
        summary: 'Whether you may call',
        description:
          'Whether the key is one that this gateway knows; without callers, whether you are served, with any key and without one. 503 while no task could be taken.',
        response: { 200: validResponse, ...refusals(401, 403, 429, 500, 503) },
      },
    },
    async ({ sender }) => {
      if (sender !== null && isUnauthenticated(sender)) {
        if (sender.sentKey) return success({ is_valid: false });
        throw sender.refusal;
      }
      // Who is in front and probes before it submits again must not hear of a gateway that cannot take a task.
      await gateway.ready();
      return success({ is_valid: true });
    },
  );

  app.get(
    '/team/balance',
    {
      config: { access: 'caller' },
      schema: {
        operationId: 'getTeamBalance',
        tags: ['drop-in'],
        summary: 'See what may still be spent',
        description:
          'What is left of the tighter of your caps; where you have none, of the account at Modellix, as of a minute ago at most.',
        response: { 200: balanceResponse, ...refusals(429, 500, 503) },
      },
    },
    async (request) => success({ balance: await gateway.balance(callerOf(request)) }),
  );

  app.get(
    '/models',
    {
      config: { access: 'open' },
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
