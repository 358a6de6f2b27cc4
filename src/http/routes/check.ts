import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Gateway } from '../../gateway/gateway.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { mediaRequestOf } from '../media-request.js';
import { type CreateAvatar, checkContent, createBody } from '../schemas/avatar.js';
import { commonHeaders, noQuery, problems } from '../schemas/responses.js';
import { checkView } from '../view.js';

export const checkRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  app.post<{ Body: CreateAvatar }>(
    '/avatars/check',
    {
      config: { access: 'caller', takesForms: true },
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'checkAvatar',
        tags: ['avatars'],
        summary: 'Check without submitting',
        description:
          'Takes what `POST /avatars` takes and does all that it does before money is spent: says what is wrong, or what was found and what it would cost. Nothing is stored or sent to Modellix.',
        querystring: noQuery,
        body: createBody,
        response: {
          200: {
            description: 'It can be used.',
            headers: commonHeaders,
            content: checkContent,
          },
          ...problems(400, 406, 408, 413, 415, 422, 429, 500, 503),
        },
      },
    },
    async (request) => {
      const { body } = request;
      const callbackUrl = body.callback_url ?? null;
      const caller = callerOf(request);
      return checkView(await gateway.check({ caller, ...mediaRequestOf(request, body), callbackUrl }));
    },
  );
};
