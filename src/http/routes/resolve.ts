import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { scopeOf } from '../../domain/caller.js';
import type { Gateway } from '../../gateway/gateway.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { AvatarParams, avatarContent, Resolution } from '../schemas/avatar.js';
import { commonHeaders, noQuery, problems } from '../schemas/responses.js';
import { avatarView } from '../view.js';

/** Far above the longest there is. */
const MAX_RESOLUTION_BYTES = 16 * 1024;

export const resolveRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  app.post(
    '/avatars/:id/resolve',
    {
      config: { access: 'admin' },
      bodyLimit: MAX_RESOLUTION_BYTES,
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'resolveAvatar',
        tags: ['operations'],
        summary: 'End the doubt about an unconfirmed avatar',
        description:
          'For an operator who looked in the Modellix console: with the `task_id` found there the avatar goes on as that task; with `made: false` it fails as never made. Nothing is sent to Modellix but reads. Where callers are known it takes the key of an admin, since it gives back what was reserved for the avatar; otherwise whoever may call may.',
        params: AvatarParams,
        querystring: noQuery,
        body: Resolution,
        response: {
          200: {
            description: 'The avatar as it is now.',
            headers: commonHeaders,
            content: avatarContent,
          },
          ...problems(400, 404, 406, 408, 409, 413, 415, 422, 429, 500, 503),
        },
      },
    },
    async (request) => {
      const { body, params } = request;
      const finding = body.task_id === undefined ? { made: false as const } : { taskId: body.task_id };
      return avatarView(await gateway.resolve(scopeOf(callerOf(request)), params.id, finding));
    },
  );
};
