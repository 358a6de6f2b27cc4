import { Type } from 'typebox';
import { scopeIn } from '../access/scope.js';
import { avatarView, deliveriesView } from '../avatar/view.js';
import { AvatarParams, avatarContent, Resolution } from '../schemas/avatar.js';
import { deliveriesContent } from '../schemas/deliveries.js';
import { answer, commonHeaders, problems } from '../schemas/responses.js';
import type { Routes } from './options.js';

/** Far above the longest there is. */
const MAX_RESOLUTION_BYTES = 16 * 1024;

/** What can be done about an avatar that is there, and its callback. */
export const changeRoutes: Routes = async (app, { gateway }) => {
  app.post(
    '/avatars/:id/cancel',
    {
      config: { access: 'caller', takesNoBody: true },
      schema: {
        operationId: 'cancelAvatar',
        tags: ['avatars'],
        summary: 'Cancel an avatar that is queued',
        description:
          'Ends an avatar that was not sent yet: it never is, and nothing is spent. One that is on its way or at Modellix cannot be canceled. Asking again gives the same answer.',
        params: AvatarParams,
        response: { 200: answer('The avatar, canceled.', avatarContent), ...problems(409) },
      },
    },
    async (request) => avatarView(await gateway.cancel(scopeIn(request), request.params.id), app.basePath),
  );

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
        response: { 204: Type.Null({ description: 'Forgotten.', headers: commonHeaders }), ...problems(409) },
      },
    },
    async (request, reply) => {
      await gateway.forget(scopeIn(request), request.params.id);
      return reply.code(204).send(null);
    },
  );

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
        response: { 200: answer('The last tries.', deliveriesContent) },
      },
    },
    async (request) => deliveriesView(await gateway.deliveries(scopeIn(request), request.params.id)),
  );

  app.post(
    '/avatars/:id/redeliver',
    {
      config: { access: 'caller', takesNoBody: true },
      schema: {
        operationId: 'redeliverAvatar',
        tags: ['callbacks'],
        summary: 'Send the callback again',
        description:
          'For a receiver that was away for longer than it was tried, or lost what it was told. The message has the `webhook-id` that it had before, and is tried for as long.',
        params: AvatarParams,
        response: { 202: answer('It will be sent.', avatarContent), ...problems(409) },
      },
    },
    async (request, reply) => {
      const seen = await gateway.redeliver(scopeIn(request), request.params.id);
      return reply.code(202).send(avatarView(seen, app.basePath));
    },
  );

  app.post(
    '/avatars/:id/resolve',
    {
      config: { access: 'admin' },
      bodyLimit: MAX_RESOLUTION_BYTES,
      schema: {
        operationId: 'resolveAvatar',
        tags: ['operations'],
        summary: 'End the doubt about an avatar that is unconfirmed or timed out',
        description:
          'For an operator who looked in the Modellix console: with the `task_id` found there the avatar goes on as that task, with all the time that a new one has; with `made: false` it fails as never made. Nothing is sent to Modellix but reads. Where callers are known it takes the key of an admin, since it gives back what was reserved for the avatar; otherwise whoever may call may.',
        params: AvatarParams,
        body: Resolution,
        response: { 200: answer('The avatar as it is now.', avatarContent), ...problems(409) },
      },
    },
    async (request) => {
      const { body, params } = request;
      const finding = body.task_id === undefined ? { made: false as const } : { taskId: body.task_id };
      return avatarView(await gateway.resolve(scopeIn(request), params.id, finding), app.basePath);
    },
  );
};
