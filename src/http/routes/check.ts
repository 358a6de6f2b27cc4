import { callerOf } from '../caller.js';
import { mediaRequestOf } from '../media-request.js';
import { type CreateAvatar, checkContent, createBody } from '../schemas/avatar.js';
import { answer } from '../schemas/responses.js';
import { checkView } from '../view.js';
import type { Routes } from './options.js';

export const checkRoutes: Routes = async (app, { gateway }) => {
  app.post<{ Body: CreateAvatar }>(
    '/avatars/check',
    {
      config: { access: 'caller', takesForms: true },
      schema: {
        operationId: 'checkAvatar',
        tags: ['avatars'],
        summary: 'Check without submitting',
        description:
          'Takes what `POST /avatars` takes and does all that it does before money is spent: says what is wrong, or what was found and what it would cost. Nothing is stored or sent to Modellix.',
        body: createBody,
        response: { 200: answer('It can be used.', checkContent) },
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
