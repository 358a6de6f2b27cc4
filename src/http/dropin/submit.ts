import { creationOf } from '../creation.js';
import type { Routes } from '../routes/options.js';
import { baseOf } from './base.js';
import { refusals, SubmitTask, submitHeaders, submittedResponse } from './schemas.js';
import { submittedTask, success } from './view.js';

/** Where Modellix has had its submit over time, and what the route is called in the document. */
const PATHS = {
  '/image-to-video/kling/kling-avatar/async': 'submitTask',
  '/kling/kling-avatar/async': 'submitTaskAsync',
  '/kling/kling-avatar': 'runModel',
} as const;

export const submitRoutes: Routes = async (app, { gateway, requireIdempotencyKey, publicUrl }) => {
  for (const [path, operationId] of Object.entries(PATHS)) {
    app.post<{ Body: SubmitTask }>(
      path,
      {
        config: { access: 'caller', makesAvatars: true },
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
        const { avatar, replayed } = await gateway.create(
          creationOf(request, request.body, requireIdempotencyKey),
        );
        if (replayed) reply.header('idempotent-replayed', 'true');
        return success(submittedTask(avatar, baseOf(request, publicUrl)));
      },
    );
  }
};

/** Clients in typed languages write `null` for what is not set. */
function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
