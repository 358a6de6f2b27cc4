import { isFinal } from '../../domain/avatar.js';
import { callerOf, isUnauthenticated } from '../access/caller.js';
import { scopeIn } from '../access/scope.js';
import { creationOf } from '../body/creation.js';
import type { Routes } from '../routes/options.js';
import {
  balanceResponse,
  modelsResponse,
  refusals,
  SubmitTask,
  submitHeaders,
  submittedResponse,
  TaskParams,
  TaskQuery,
  taskResponse,
  validResponse,
} from './schemas.js';
import { baseOf, MODEL_ID, submittedTask, success, taskView } from './view.js';

/** Where Modellix has had its submit over time, and what the route is called in the document. */
const PATHS = {
  '/image-to-video/kling/kling-avatar/async': 'submitTask',
  '/kling/kling-avatar/async': 'submitTaskAsync',
  '/kling/kling-avatar': 'runModel',
} as const;

const MODEL = {
  slug: `kling/${MODEL_ID}`,
  type: 'image-to-video',
  description: 'A talking avatar from a portrait and speech.',
  docs_url: `https://docs.modellix.ai/kling/${MODEL_ID}.md`,
};

/** As long as Modellix holds a query with `wait=true` (contract, "Query"). */
const LONG_POLL_MS = 45_000;

/** The same avatars as at `/avatars`, in the form of Modellix, so that its clients can be pointed here. */
export const dropInRoutes: Routes = async (app, { gateway, held, requireIdempotencyKey, publicUrl }) => {
  for (const [path, operationId] of Object.entries(PATHS)) {
    app.post<{ Body: SubmitTask }>(
      path,
      {
        config: { access: 'caller' },
        preValidation: async (request) => {
          request.body = withoutNulls(request.body) as SubmitTask; // if it is one: that is checked next
        },
        schema: {
          operationId,
          tags: ['drop-in'],
          summary: 'Submit a task',
          description:
            'What `POST /avatars` does, in the form of Modellix. The key in `Authorization` is the one to this gateway; without callers none is needed, and any is ignored.',
          headers: submitHeaders,
          body: { content: { 'application/json': { schema: SubmitTask } } },
          response: {
            200: submittedResponse,
            ...refusals(400, 401, 402, 403, 404, 413, 415, 422, 429, 500, 503),
          },
        },
      },
      async (request, reply) => {
        const base = baseOf(request, publicUrl);
        const { 'x-webhook-url': webhookUrl } = request.headers;
        const asked = creationOf(request, request.body, requireIdempotencyKey);
        const { avatar, replayed } = await gateway.create(
          webhookUrl === undefined
            ? asked
            : { ...asked, callbackUrl: String(webhookUrl), callbackTaskBase: base },
        );
        if (replayed) reply.header('idempotent-replayed', 'true');
        return success(submittedTask(avatar, base));
      },
    );
  }

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
      const scope = scopeIn(request);
      const waiting = request.query.wait === 'true' ? held.hold(request, reply) : null;
      const { avatar } = await (waiting === null
        ? gateway.read(scope, id)
        : gateway.wait(scope, id, waiting.within(LONG_POLL_MS), ({ status }) => isFinal(status)));
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

/** Clients in typed languages write `null` for what is not set. */
function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
