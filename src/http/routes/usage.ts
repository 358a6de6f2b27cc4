import { dayOf } from '../../domain/spend.js';
import { ProblemError } from '../../problems.js';
import { scopeIn } from '../access/scope.js';
import { usageView } from '../avatar/view.js';
import { answer } from '../schemas/responses.js';
import { UsageParameters, usageContent } from '../schemas/usage.js';
import type { Routes } from './options.js';

const DAY_MS = 86_400_000;
/** So long it is known for sure what was spent. */
const MAX_DAYS = 400;

export const usageRoutes: Routes = async (app, { gateway }) => {
  app.get(
    '/usage',
    {
      config: { access: 'caller' },
      schema: {
        operationId: 'getUsage',
        tags: ['usage'],
        summary: 'See what was spent',
        description:
          'Seconds of video and money, by day and mode: reserved for what is under way, and settled. An avatar counts on the day it was accepted.',
        querystring: UsageParameters,
        response: { 200: answer('What was spent.', usageContent) },
      },
    },
    async (request) => {
      const { from = null, to = null, caller } = request.query;
      // Tomorrow: whose day it is, ours or the store's, does not matter then.
      if (from !== null) requireSpan(from, to ?? dayOf(Date.now() + DAY_MS));
      return usageView(await gateway.usage(scopeIn(request, caller), { from, to }));
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
