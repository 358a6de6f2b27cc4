import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { scopeOf } from '../../domain/caller.js';
import type { Gateway } from '../../gateway/gateway.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { AvatarParams, avatarContent } from '../schemas/avatar.js';
import { commonHeaders, noQuery, problems } from '../schemas/responses.js';
import { avatarView } from '../view.js';

export const cancelRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  app.post(
    '/avatars/:id/cancel',
    {
      config: { access: 'caller', takesNoBody: true },
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'cancelAvatar',
        tags: ['avatars'],
        summary: 'Cancel an avatar that is queued',
        description:
          'Ends an avatar that was not sent yet: it never is, and nothing is spent. One that is on its way or at Modellix cannot be canceled. Asking again gives the same answer.',
        params: AvatarParams,
        querystring: noQuery,
        response: {
          200: { description: 'The avatar, canceled.', headers: commonHeaders, content: avatarContent },
          ...problems(400, 404, 406, 409, 415, 429, 500, 503),
        },
      },
    },
    async (request) => avatarView(await gateway.cancel(scopeOf(callerOf(request)), request.params.id)),
  );
};
