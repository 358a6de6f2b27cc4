import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { scopeOf } from '../../domain/caller.js';
import type { Gateway } from '../../gateway/gateway.js';
import { callerOf } from '../caller.js';
import { AvatarParams } from '../schemas/avatar.js';
import { commonHeaders, noQuery, problems } from '../schemas/responses.js';

export const forgetRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  app.delete(
    '/avatars/:id',
    {
      config: { access: 'caller', takesNoBody: true },
      schema: {
        operationId: 'deleteAvatar',
        tags: ['avatars'],
        summary: 'Forget an avatar',
        description:
          'Removes all that the gateway has of a final avatar: its record, its `Idempotency-Key`, and its video where that was kept. What Modellix has of it stays there.',
        params: AvatarParams,
        querystring: noQuery,
        response: {
          204: Type.Null({ description: 'Forgotten.', headers: commonHeaders }),
          ...problems(400, 404, 409, 415, 429, 500, 503),
        },
      },
    },
    async (request, reply) => {
      await gateway.forget(scopeOf(callerOf(request)), request.params.id);
      return reply.code(204).send(null);
    },
  );
};
