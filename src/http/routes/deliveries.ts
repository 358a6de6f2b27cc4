import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { scopeOf } from '../../domain/caller.js';
import type { Gateway } from '../../gateway/gateway.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { AvatarParams, avatarContent } from '../schemas/avatar.js';
import { deliveriesContent } from '../schemas/deliveries.js';
import { commonHeaders, noQuery, problems } from '../schemas/responses.js';
import { avatarView, deliveriesView } from '../view.js';

export const deliveryRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  app.get(
    '/avatars/:id/deliveries',
    {
      config: { access: 'caller' },
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'getDeliveries',
        tags: ['callbacks'],
        summary: 'See how the callback went',
        description: 'The tries to tell the `callback_url` of the avatar, with what its receiver answered.',
        params: AvatarParams,
        querystring: noQuery,
        response: {
          200: { description: 'The last tries.', headers: commonHeaders, content: deliveriesContent },
          ...problems(400, 404, 406, 429, 500, 503),
        },
      },
    },
    async (request) => {
      const log = await gateway.deliveries(scopeOf(callerOf(request)), request.params.id);
      return deliveriesView(log);
    },
  );

  app.post(
    '/avatars/:id/redeliver',
    {
      config: { access: 'caller', takesNoBody: true },
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'redeliverAvatar',
        tags: ['callbacks'],
        summary: 'Send the callback again',
        description:
          'For a receiver that was away for longer than it was tried, or lost what it was told. The message has the `webhook-id` that it had before, and is tried for as long.',
        params: AvatarParams,
        querystring: noQuery,
        response: {
          202: { description: 'It will be sent.', headers: commonHeaders, content: avatarContent },
          ...problems(400, 404, 406, 409, 415, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const seen = await gateway.redeliver(scopeOf(callerOf(request)), request.params.id);
      return reply.code(202).send(avatarView(seen));
    },
  );
};
