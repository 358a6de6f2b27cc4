import { scopeOf } from '../../domain/caller.js';
import { callerOf } from '../caller.js';
import { AvatarParams } from '../schemas/avatar.js';
import { deliveriesContent } from '../schemas/deliveries.js';
import { commonHeaders } from '../schemas/responses.js';
import { deliveriesView } from '../view.js';
import type { Routes } from './options.js';

export const deliveryRoutes: Routes = async (app, { gateway }) => {
  app.get(
    '/avatars/:id/deliveries',
    {
      config: { access: 'caller' },
      schema: {
        operationId: 'getDeliveries',
        tags: ['callbacks'],
        summary: 'See how the callback went',
        description: 'The tries to tell the `callback_url` of the avatar, with what its receiver answered.',
        params: AvatarParams,
        response: {
          200: { description: 'The last tries.', headers: commonHeaders, content: deliveriesContent },
        },
      },
    },
    async (request) =>
      deliveriesView(await gateway.deliveries(scopeOf(callerOf(request)), request.params.id)),
  );
};
