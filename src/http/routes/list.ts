import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Status } from '../../domain/avatar.js';
import type { Gateway } from '../../gateway/gateway.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { cursorOf, placeOf } from '../cursor.js';
import { ListParameters, listAnswer } from '../schemas/list.js';
import { problems } from '../schemas/responses.js';
import { lookedAt } from '../scope.js';
import { avatarView } from '../view.js';

export const listRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  app.get(
    '/avatars',
    {
      config: { access: 'caller' },
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'listAvatars',
        tags: ['avatars'],
        summary: 'List avatars',
        description:
          'Your avatars, the newest first; for admins those of all callers, or of one of them. What is made while you turn the pages moves nothing on them.',
        querystring: ListParameters,
        response: { 200: listAnswer, ...problems(400, 403, 406, 429, 500, 503) },
      },
    },
    async (request, reply) => {
      const scope = lookedAt(callerOf(request), request);
      const filters = filtersOf(request.query);
      const { cursor, limit = '' } = request.query;
      const { page, next } = await gateway.list(scope, {
        ...filters,
        behind: cursor === undefined ? null : placeOf(scope, filters, cursor),
        limit: Number(limit),
      });
      const nextCursor = next && cursorOf(scope, filters, next);
      if (nextCursor !== null) {
        const query = new URLSearchParams({ ...request.query, cursor: nextCursor });
        reply.header('link', `</avatars?${query}>; rel="next"`);
      }
      return { data: page.map(avatarView), next_cursor: nextCursor, has_more: nextCursor !== null };
    },
  );
};

function filtersOf({ status, external_id, created_after, created_before }: ListParameters) {
  return {
    // In one order, so that a cursor does not depend on how they were written down. The validator knows the words.
    statuses: status === undefined ? null : ([...new Set(status.split(','))].sort() as Status[]),
    externalId: external_id ?? null,
    createdAfter: timeOf(created_after),
    createdBefore: timeOf(created_before),
  };
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text.toUpperCase());
}
