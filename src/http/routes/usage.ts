import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { dayOf } from '../../domain/spend.js';
import type { Gateway } from '../../gateway/gateway.js';
import { ProblemError } from '../../problems.js';
import { requireAccept } from '../accept.js';
import { callerOf } from '../caller.js';
import { problems } from '../schemas/responses.js';
import { UsageParameters, usageAnswer } from '../schemas/usage.js';
import { lookedAt } from '../scope.js';
import { usageView } from '../usage-view.js';

const DAY_MS = 86_400_000;
/** So long it is known for sure what was spent. */
const MAX_DAYS = 400;

export const usageRoutes: FastifyPluginAsyncTypebox<{ gateway: Gateway }> = async (app, { gateway }) => {
  app.get(
    '/usage',
    {
      config: { access: 'caller' },
      onRequest: requireAccept('application/json'),
      schema: {
        operationId: 'getUsage',
        tags: ['usage'],
        summary: 'See what was spent',
        description:
          'Seconds of video and money, by day and mode: reserved for what is under way, and settled. An avatar counts on the day it was accepted.',
        querystring: UsageParameters,
        response: { 200: usageAnswer, ...problems(400, 406, 429, 500, 503) },
      },
    },
    async (request, reply) => {
      const { from = null, to = null } = request.query;
      // Tomorrow: whose day it is, ours or the store's, does not matter then.
      if (from !== null) requireSpan(from, to ?? dayOf(Date.now() + DAY_MS));
      const found = await gateway.usage(lookedAt(callerOf(request), request), { from, to });
      return reply.header('cache-control', 'no-store').send(usageView(found));
    },
  );
};

/** @throws {ProblemError} `invalid-query` for days the wrong way round, and for too many of them */
function requireSpan(from: string, to: string): void {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (days >= 0 && days <= MAX_DAYS) return;
  const detail = days < 0 ? 'must not be behind `to`' : `must be at most ${MAX_DAYS} days before \`to\``;
  throw new ProblemError('invalid-query', `from: ${detail}`, { errors: [{ pointer: 'from', detail }] });
}
