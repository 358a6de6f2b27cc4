import { scopeIn } from '../access/scope.js';
import { cursorOf, placeOf } from '../avatar/cursor.js';
import { avatarView } from '../avatar/view.js';
import { ListParameters, listAnswer } from '../schemas/list.js';
import type { Routes } from './options.js';

export const listRoutes: Routes = async (app, { gateway }) => {
  app.get(
    '/avatars',
    {
      config: { access: 'caller' },
      preValidation: async ({ query }) => splitStatuses(query as { status?: string | string[] }),
      schema: {
        operationId: 'listAvatars',
        tags: ['avatars'],
        summary: 'List avatars',
        description:
          'Your avatars, the newest first; for admins those of all callers, or of one of them. What is made while you turn the pages moves nothing on them.',
        querystring: ListParameters,
        response: { 200: listAnswer },
      },
    },
    async (request, reply) => {
      const { query, url } = request;
      const scope = scopeIn(request, query.caller);
      const filters = filtersOf(query);
      const { page, next } = await gateway.list(scope, {
        ...filters,
        behind: query.cursor === undefined ? null : placeOf(scope, filters, query.cursor),
        limit: query.limit ?? 0,
      });
      const nextCursor = next && cursorOf(scope, filters, next);
      if (nextCursor !== null) {
        const { searchParams } = new URL(url, 'http://localhost');
        searchParams.set('cursor', nextCursor);
        reply.header('link', `<${app.basePath}/avatars?${searchParams}>; rel="next"`);
      }
      const data = page.map((seen) => avatarView(seen, app.basePath));
      return { data, next_cursor: nextCursor, has_more: nextCursor !== null };
    },
  );
};

function splitStatuses(query: { status?: string | string[] }): void {
  if (query.status !== undefined) query.status = [query.status].flat().flatMap((each) => each.split(','));
}

function filtersOf({ status, external_id, created_after, created_before }: ListParameters) {
  return {
    // In one order, so that a cursor does not depend on how they were written down.
    statuses: status === undefined ? null : [...new Set(status)].sort(),
    externalId: external_id ?? null,
    createdAfter: timeOf(created_after),
    createdBefore: timeOf(created_before),
  };
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text.toUpperCase());
}
